-- What a plan entitles to is in force from the next request on, like every other setting of a principal.
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

-- Whoever has a plan, or had it: what it entitles to counts for all days of it.
create or replace function ops.tg_plan_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_principals(array(
        select distinct l.customer_hk
        from gateway.subscription_l as l
        inner join ops.principal as p on l.customer_hk = p.customer_hk
        where
            l.plan_hk in (select c.plan_hk from changed as c)
            and p.entitlements is distinct from ops.fn_list_entitled_days(l.customer_hk)
    ));
    return null;
end
$$;

create or replace trigger subscription_s_added after insert on gateway.subscription_s
referencing new table as changed for each statement execute function ops.tg_subscription_s_changed();
create or replace trigger subscription_s_closed after update on gateway.subscription_s
referencing new table as changed for each statement execute function ops.tg_subscription_s_changed();
create or replace trigger plan_s_added after insert on gateway.plan_s
referencing new table as changed for each statement execute function ops.tg_plan_s_changed();
create or replace trigger plan_s_closed after update on gateway.plan_s
referencing new table as changed for each statement execute function ops.tg_plan_s_changed();
