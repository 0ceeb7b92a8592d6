-- Who is to pay ahead gets a limit, from his next call on. Entries under way are waited for: they hold the customer.
-- What his calls under way hold counts, too; those that are settled or decided at this moment are found in the books by
-- ops.fn_write_off_credits(). A version that is followed by another one says nothing by its end.
create or replace function ops.tg_customer_billing_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer record;
    v_limit_hk bytea;
    v_is_prepaid boolean;
begin
    for v_customer in
        select distinct c.customer_hk from changed as c
        where c.load_end_date is null or c.ended_by is not null
        order by c.customer_hk
    loop
        v_limit_hk := ops.fn_prepaid_limit_hk(v_customer.customer_hk);
        v_is_prepaid := exists (
            select from gateway.customer_billing_s as s
            where s.customer_hk = v_customer.customer_hk and s.load_end_date is null and s.is_prepaid
        );
        continue when v_is_prepaid = exists (select from ops.usage_limit as l where l.usage_limit_hk = v_limit_hk);
        perform from gateway.customer_h as h where h.customer_hk = v_customer.customer_hk for update;
        if v_is_prepaid then
            with open_call as (
                select n.api_request_hk, n.customer_hk
                from ops.reservation as n
                where
                    n.customer_hk = v_customer.customer_hk
                    and not coalesce(
                        n.limits @> jsonb_build_array(jsonb_build_object('limit', encode(v_limit_hk, 'hex'))), false
                    )
                for update skip locked
            )

            update ops.reservation as r set
                limits = coalesce(r.limits, '[]') || jsonb_build_array(jsonb_build_object(
                    'limit', encode(v_limit_hk, 'hex'), 'unit', 'USD', 'window', 0, 'held', r.held_usd
                ))
            from open_call as n
            where r.api_request_hk = n.api_request_hk and r.customer_hk = n.customer_hk;
        end if;
        perform ops.fn_refresh_limits(array[v_limit_hk]);
    end loop;
    return null;
end
$$;

comment on function ops.tg_customer_billing_s_changed() is
'Prepaid customers have a limit of what they have paid ahead.';

create or replace trigger customer_billing_s_added after insert on gateway.customer_billing_s
referencing new table as changed for each statement execute function ops.tg_customer_billing_s_changed();
create or replace trigger customer_billing_s_closed after update on gateway.customer_billing_s
referencing new table as changed for each statement execute function ops.tg_customer_billing_s_changed();
