-- What is used of a credit stands on invoices. One that is unused is taken back by an entry of its own.
create or replace function admin.tg_credit_delete() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := util.hash_key(old.customer);
    v_hk bytea := util.hash_key(old.customer, old.credit);
    v_grant record;
    v_left numeric;
begin
    perform set_config('synchronous_commit', 'on', true);
    perform from gateway.customer_h as h where h.customer_hk = v_customer_hk for no key update;
    select coalesce(-sum(p.amount_usd), 0) into v_left
    from gateway.ledger_posting_s as p
    where p.customer_hk = v_customer_hk and p.account = 'prepaid' and p.credit_hk = v_hk;
    if v_left <> old.amount_usd then
        perform admin.fn_refuse_change(
            409, 'used_credits_are_kept', format('Of the credit %s %s USD are left of %s', quote_literal(old.credit),
                trim_scale(v_left), old.amount_usd), 'Let it end instead: set expires_on to tomorrow.'
        );
    end if;
    select e.ledger_entry_hk, e.ledger_entry_bk, jsonb_agg(jsonb_build_object(
        'account', p.account, 'amount_usd', -p.amount_usd, 'credit', encode(p.credit_hk, 'hex')
    ) order by p.posting_number) as postings
    into strict v_grant
    from gateway.credit_h as h
    inner join gateway.ledger_entry_h as e on e.ledger_entry_bk = 'credit:' || h.credit_bk
    inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
    where h.credit_hk = v_hk
    group by e.ledger_entry_hk, e.ledger_entry_bk;
    perform gateway.fn_post_entry(
        v_customer_hk, 'CREDIT_REVERSAL', v_grant.ledger_entry_bk || ':reversed', v_grant.postings, null,
        util.fn_change_reason(), v_grant.ledger_entry_hk
    );
    perform admin.fn_end_satellite('gateway.credit_s', jsonb_build_object('credit_hk', v_hk), '{}');
    return old;
end
$$;

create trigger credit_insert instead of insert on admin.credit
for each row execute function admin.tg_credit_insert();
create trigger credit_update instead of update on admin.credit
for each row execute function admin.tg_credit_update();
create trigger credit_delete instead of delete on admin.credit
for each row execute function admin.tg_credit_delete();

comment on function admin.tg_credit_delete() is 'DELETE on admin.credit: one that is unused is taken back.';
