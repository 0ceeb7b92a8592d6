-- Prices are in force from the next request on. Who gets a plan, or is made, while a rule about it is written must meet
-- that rule: rules of a customer wait for nobody, those of a tenant for changes of its customers, others for all.
create or replace function ops.tg_charge_rule_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    if exists (select from changed as c where c.tenant_hk is null) then
        perform pg_advisory_xact_lock(hashtextextended('charge rules', 1));
    end if;
    perform pg_advisory_xact_lock(hashtextextended('tenant' || n.tenant_hk::text, 1))
    from (
        select distinct c.tenant_hk from changed as c
        where c.tenant_hk is not null and c.customer_hk is null order by c.tenant_hk
    ) as n;
    perform ops.fn_refresh_principals(array(
        select h.customer_hk
        from gateway.customer_h as h
        where exists (
            select from changed as c
            where
                (c.customer_hk is null or c.customer_hk = h.customer_hk)
                and (c.tenant_hk is null or c.tenant_hk = h.tenant_hk)
                and (c.plan_hk is null or exists (
                    select from gateway.subscription_l as l
                    where l.plan_hk = c.plan_hk and l.customer_hk = h.customer_hk
                ))
        )
    ));
    return null;
end
$$;

create or replace function ops.tg_subscription_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_principals(array(
        select l.customer_hk from gateway.subscription_l as l
        where l.subscription_hk in (select c.subscription_hk from changed as c)
    ));
    return null;
end
$$;

create or replace trigger charge_rule_s_added after insert on gateway.charge_rule_s
referencing new table as changed for each statement execute function ops.tg_charge_rule_s_changed();
create or replace trigger charge_rule_s_closed after update on gateway.charge_rule_s
referencing new table as changed for each statement execute function ops.tg_charge_rule_s_changed();
create or replace trigger subscription_s_added after insert on gateway.subscription_s
referencing new table as changed for each statement execute function ops.tg_subscription_s_changed();
create or replace trigger subscription_s_closed after update on gateway.subscription_s
referencing new table as changed for each statement execute function ops.tg_subscription_s_changed();
