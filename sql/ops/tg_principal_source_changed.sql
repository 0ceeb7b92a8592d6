-- One trigger function a satellite that principals are made of: settings are in force from the next request on,
-- and a change that is rolled back leaves nothing.
create or replace function ops.tg_tenant_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_moved bytea[];
begin
    perform pg_advisory_xact_lock(hashtextextended('tenant' || n.tenant_hk::text, 1))
    from (select distinct c.tenant_hk from changed as c order by c.tenant_hk) as n;
    v_moved := array(
        select distinct c.tenant_hk
        from changed as c
        cross join lateral (
            select s.time_zone from auth.tenant_s as s
            where s.tenant_hk = c.tenant_hk and s.load_end_date is not null order by s.load_date desc limit 1
        ) as p
        where c.load_end_date is null and p.time_zone <> c.time_zone
    );
    perform ops.fn_refresh_principals(array(
        select h.customer_hk from gateway.customer_h as h
        where h.tenant_hk in (select c.tenant_hk from changed as c)
    ));
    if v_moved <> '{}' then
        -- Days, weeks and months are others now: what was spent and is held in them is counted anew.
        perform ops.fn_renumber_reservations(v_moved);
        perform ops.fn_recount_limits(array(
            select l.usage_limit_hk from ops.usage_limit as l where l.tenant_hk = any(v_moved)
        ));
        perform ops.fn_recount_scopes(array(
            select h.customer_hk from gateway.customer_h as h where h.tenant_hk = any(v_moved)
        ));
    end if;
    return null;
end
$$;

create or replace function ops.tg_customer_config_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_principals(array(select c.customer_hk from changed as c));
    return null;
end
$$;

create or replace function ops.tg_token_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_principals(array(
        select h.customer_hk from gateway.token_h as h where h.token_hk in (select c.token_hk from changed as c)
    ));
    return null;
end
$$;

-- A version that is followed by another one says nothing by its end: a limit's row stays the one that calls wait for.
create or replace function ops.tg_usage_limit_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform ops.fn_refresh_limits(array(
        select distinct c.usage_limit_hk from changed as c where c.load_end_date is null or c.ended_by is not null
    ));
    return null;
end
$$;

create or replace function ops.tg_customer_provider_keys_s_changed() returns trigger
language plpgsql
security definer
set search_path = ''
as $$
begin
    -- A key that was set anew is no longer the one that was refused; one that its provider's list of models took is.
    delete from ops.key_health as k where k.provider_key_hk in (
        select c.customer_provider_key_hk from changed as c
        where c.load_end_date is null and c.record_source <> 'validation'
    );
    perform ops.fn_refresh_limits(array(
        select distinct ops.fn_key_limit_hk(c.customer_provider_key_hk, p.period)
        from changed as c
        cross join unnest('{DAY,MONTH}'::text[]) as p (period)
        where c.load_end_date is null or c.ended_by is not null
    ));
    perform ops.fn_refresh_principals(array(
        select h.customer_hk from gateway.customer_provider_keys_h as h
        where h.customer_provider_key_hk in (select c.customer_provider_key_hk from changed as c)
    ));
    return null;
end
$$;

create or replace trigger usage_limit_s_added after insert on gateway.usage_limit_s
referencing new table as changed for each statement execute function ops.tg_usage_limit_s_changed();
create or replace trigger usage_limit_s_closed after update on gateway.usage_limit_s
referencing new table as changed for each statement execute function ops.tg_usage_limit_s_changed();
create or replace trigger tenant_s_added after insert on auth.tenant_s
referencing new table as changed for each statement execute function ops.tg_tenant_s_changed();
create or replace trigger tenant_s_closed after update on auth.tenant_s
referencing new table as changed for each statement execute function ops.tg_tenant_s_changed();
create or replace trigger customer_config_s_added after insert on gateway.customer_config_s
referencing new table as changed for each statement execute function ops.tg_customer_config_s_changed();
create or replace trigger customer_config_s_closed after update on gateway.customer_config_s
referencing new table as changed for each statement execute function ops.tg_customer_config_s_changed();
create or replace trigger token_s_added after insert on gateway.token_s
referencing new table as changed for each statement execute function ops.tg_token_s_changed();
create or replace trigger token_s_closed after update on gateway.token_s
referencing new table as changed for each statement execute function ops.tg_token_s_changed();
create or replace trigger customer_provider_keys_s_added after insert on gateway.customer_provider_keys_s
referencing new table as changed for each statement execute function ops.tg_customer_provider_keys_s_changed();
create or replace trigger customer_provider_keys_s_closed after update on gateway.customer_provider_keys_s
referencing new table as changed for each statement execute function ops.tg_customer_provider_keys_s_changed();
