-- Run by whoever may make roles: the doors' owner may not. A role of that name that is something else stays what it is.
-- What a role's members inherit are rights, not settings, so the new one gets those of onevault_bi again.
create or replace function util.fn_make_tenant_role(p_tenant text, p_role name, p_verifier text default null)
returns name
language plpgsql
set search_path = ''
as $$
declare
    v_tenant_hk bytea := admin.fn_find_tenant(p_tenant);
    v_role name := coalesce(p_role, (
        select left('bi_' || btrim(regexp_replace(lower(h.tenant_bk), '[^a-z0-9]+', '_', 'g'), '_'), 60)
        from auth.tenant_h as h
        where h.tenant_hk = v_tenant_hk
    ));
    v_setting text;
begin
    if v_role !~ '^[a-z_][a-z0-9_]{1,62}$' then
        perform admin.fn_refuse_change(
            400, 'roles_have_plain_names', format('%s is no name for a role', quote_literal(v_role)),
            'Use small letters, digits and underscores.'
        );
    end if;
    if not exists (select from pg_catalog.pg_roles as r where r.rolname = v_role) then
        execute format('create role %I login in role onevault_bi', v_role);
    elsif not exists (
        select from auth.tenant_role as t where t.role_name = v_role and t.tenant_hk = v_tenant_hk
    ) or exists (
        select from auth.tenant_role as t where t.role_name = v_role and t.tenant_hk <> v_tenant_hk
    ) then
        perform admin.fn_refuse_change(
            409, 'roles_are_for_one_tenant', format('The role %s is there and is not this tenant''s alone',
                quote_literal(v_role)), 'Choose another name.'
        );
    end if;
    for v_setting in
        select unnest(s.setconfig)
        from pg_catalog.pg_db_role_setting as s
        where s.setrole = 'onevault_bi'::regrole and s.setdatabase = 0
    loop
        execute format('alter role %I set %I = %L', v_role, split_part(v_setting, '=', 1), split_part(v_setting, '=', 2));
    end loop;
    if p_verifier is not null then
        execute format('alter role %I password %L', v_role, p_verifier);
    end if;
    insert into auth.tenant_role (role_name, tenant_hk) values (v_role, v_tenant_hk)
    on conflict (role_name, tenant_hk) do nothing;
    return v_role;
end
$$;

comment on function util.fn_make_tenant_role(text, name, text) is
'Makes a login that reads one tenant''s rows of business_vault, or gives the one there is a new password (its SCRAM
verifier, never the password itself); gives its name.';

create or replace function util.fn_drop_tenant_role(p_role name) returns void
language plpgsql
set search_path = ''
as $$
begin
    if not exists (select from auth.tenant_role as t where t.role_name = p_role) then
        perform admin.fn_refuse_change(
            404, 'tenant_role_exists', format('No tenant has a role %s', quote_literal(p_role)),
            '"onevault bi list" shows those there are.'
        );
    end if;
    delete from auth.tenant_role as t where t.role_name = p_role;
    execute format('drop role if exists %I', p_role);
end
$$;

comment on function util.fn_drop_tenant_role(name) is 'Takes a tenant''s login away again.';
