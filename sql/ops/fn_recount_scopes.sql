create or replace function ops.fn_recount_scopes(p_customer_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    lock table ops.scope_state in exclusive mode;
    update ops.scope_state as s set
        day_spent_usd = f.day_spent, day_held_usd = f.day_held, day_number = f.day_number, day_ceiling_usd = null,
        month_spent_usd = f.month_spent, month_held_usd = f.month_held, month_number = f.month_number,
        month_ceiling_usd = null
    from ops.scope_fact as f
    where s.scope_hk = f.scope_hk and (p_customer_hks is null or f.customer_hk = any(p_customer_hks));
end
$$;

comment on function ops.fn_recount_scopes(bytea[]) is
'Sets what is spent and held of the budgets of these customers and their tokens, or of all when NULL, to what vault and
reservations say.';
