-- A corrected price changes what a prepaid customer has left, as an entry of the ledger does.
create or replace function gateway.tg_charge_adjustment_s_added() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer record;
begin
    for v_customer in
        select l.customer_hk
        from ops.usage_limit as l
        where l.usage_limit_hk in (select ops.fn_prepaid_limit_hk(a.customer_hk) from added as a)
        order by l.usage_limit_hk
    loop
        perform gateway.fn_refresh_prepaid(v_customer.customer_hk);
    end loop;
    return null;
end
$$;

comment on function gateway.tg_charge_adjustment_s_added() is
'Brings what prepaid customers may use to what corrected prices say.';

create or replace trigger charge_adjustment_s_added after insert on gateway.charge_adjustment_s
referencing new table as added for each statement execute function gateway.tg_charge_adjustment_s_added();
