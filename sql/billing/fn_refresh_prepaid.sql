-- The limit is locked before the ledger is read, so of two who post at once the second sees what the first one posted.
create or replace function gateway.fn_refresh_prepaid(p_customer_hk bytea) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_limit_hk bytea := ops.fn_prepaid_limit_hk(p_customer_hk);
begin
    perform from ops.usage_limit as l where l.usage_limit_hk = v_limit_hk for update;
    if found then
        update ops.usage_limit as l set amount = gateway.fn_measure_prepaid(p_customer_hk)
        where l.usage_limit_hk = v_limit_hk;
    end if;
end
$$;

comment on function gateway.fn_refresh_prepaid(bytea) is
'Brings what a prepaid customer may use to what the ledger says; does nothing for others.';

-- For whoever posts to many: limits are locked in the order in which the road locks them, and not before the end.
create or replace function gateway.fn_refresh_prepaids(p_dated boolean) returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_customer record;
    v_moved integer := 0;
begin
    for v_customer in
        select l.customer_hk
        from ops.usage_limit as l
        where
            l.usage_limit_hk = ops.fn_prepaid_limit_hk(l.customer_hk)
            and (
                not p_dated
                or exists (
                    select from gateway.credit_h as h
                    inner join gateway.credit_s as s on h.credit_hk = s.credit_hk and s.load_end_date is null
                    where
                        h.customer_hk = l.customer_hk
                        and (isfinite(s.expires_on) or s.valid_from >= (s.load_date - interval '1 day')::date)
                )
            )
            and l.amount <> gateway.fn_measure_prepaid(l.customer_hk)
        order by l.usage_limit_hk
    loop
        perform gateway.fn_refresh_prepaid(v_customer.customer_hk);
        v_moved := v_moved + 1;
    end loop;
    return v_moved;
end
$$;

comment on function gateway.fn_refresh_prepaids(boolean) is
'Brings what prepaid customers may use to what the ledger says, all of them or those with credits that begin or expire;
gives for how many it was something else.';
