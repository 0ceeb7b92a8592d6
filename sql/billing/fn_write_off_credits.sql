-- What is left of a credit when it has expired and the last month that it was good for is closed; until then that month
-- may still be paid with it. What comes back later, as from an invoice that is made void, is written off again. Who is
-- being billed at this moment is left to the next run.
create or replace function ops.fn_write_off_credits() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_credit record;
    v_left numeric;
    v_grant_hk bytea;
    v_count integer := 0;
begin
    perform set_config('onevault.refresh_prepaid', 'later', true);
    for v_credit in
        select
            h.credit_hk, h.credit_bk::text as bk, h.customer_hk, s.credit_kind,
            date_trunc('month', util.current_load_date() at time zone t.time_zone)::date as billing_period
        from gateway.credit_s as s
        inner join gateway.credit_h as h on s.credit_hk = h.credit_hk
        inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk and t.load_end_date is null
        where
            s.load_end_date is null and s.expires_on <= (util.current_load_date() at time zone t.time_zone)::date
            and exists (
                select from gateway.month_close_s as m
                where
                    m.tenant_hk = h.tenant_hk
                    and m.billing_period = date_trunc('month', (s.expires_on - 1)::timestamp)::date
            )
            and (
                select sum(p.amount_usd) from gateway.ledger_posting_s as p
                where p.customer_hk = h.customer_hk and p.account = 'prepaid' and p.credit_hk = h.credit_hk
            ) < 0
        order by h.credit_bk
    loop
        perform from gateway.customer_h as h where h.customer_hk = v_credit.customer_hk for no key update skip locked;
        continue when not found;
        select coalesce(-sum(p.amount_usd), 0) into v_left
        from gateway.ledger_posting_s as p
        where p.customer_hk = v_credit.customer_hk and p.account = 'prepaid' and p.credit_hk = v_credit.credit_hk;
        continue when v_left <= 0;
        select h.ledger_entry_hk into v_grant_hk
        from gateway.ledger_entry_h as h
        where h.ledger_entry_bk = 'credit:' || v_credit.bk;
        perform gateway.fn_post_entry(
            v_credit.customer_hk, 'CREDIT_EXPIRY', concat('expiry:', v_credit.bk, ':', (
                select 1 + count(*) from gateway.ledger_entry_s as e
                where e.refers_to_hk = v_grant_hk and e.entry_kind = 'CREDIT_EXPIRY'
                    and e.customer_hk = v_credit.customer_hk
            )), jsonb_build_array(
                jsonb_build_object(
                    'account', 'prepaid', 'amount_usd', v_left, 'credit', encode(v_credit.credit_hk, 'hex')
                ),
                jsonb_build_object(
                    'account', case v_credit.credit_kind when 'PREPAID' then 'breakage' else 'promotion' end,
                    'amount_usd', -v_left
                )
            ), v_credit.billing_period, 'Expired', v_grant_hk
        );
        v_count := v_count + 1;
    end loop;
    perform set_config('onevault.refresh_prepaid', '', true);
    -- Days have begun for some, and are over for others.
    perform gateway.fn_refresh_prepaids(true);
    -- Calls that were being decided or settled while a customer was switched are not in his limit; in the books they are.
    perform ops.fn_recount_limits(array(
        select l.usage_limit_hk
        from ops.usage_limit as l
        inner join gateway.customer_billing_s as s on l.customer_hk = s.customer_hk and s.load_end_date is null
        where
            l.usage_limit_hk = ops.fn_prepaid_limit_hk(l.customer_hk)
            and s.load_date > util.current_load_date() - interval '30 minutes'
    ));
    return v_count;
end
$$;

comment on function ops.fn_write_off_credits() is
'Writes off what is left of expired credits once their last month is closed, and brings prepaid customers to the day;
gives how many credits.';
