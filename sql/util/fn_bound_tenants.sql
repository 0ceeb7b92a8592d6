-- Stands in a migration too, because policies rest on it. BI executes it through fn_choose_tenant, so whoever asks is
-- believed only about himself: another's name would tell which tenants there are, and who is bound to them.
create or replace function util.fn_bound_tenants(p_session_role name, p_current_role name) returns bytea[]
language sql stable security definer parallel safe set search_path = ''
begin atomic
    with asker as (
        select r.rolname, r.rolsuper from pg_catalog.pg_roles as r where r.rolname = session_user
    )

    select case when a.rolsuper or a.rolname = p_session_role then (
        select array_agg(distinct t.tenant_hk)
        from auth.tenant_role as t
        inner join pg_catalog.pg_roles as b on t.role_name = b.rolname
        inner join pg_catalog.pg_roles as r on r.rolname in (p_session_role, p_current_role)
        where
            (b.oid = r.oid or (not r.rolsuper and pg_catalog.pg_has_role(r.oid, b.oid, 'member')))
            and (a.rolsuper or pg_catalog.pg_has_role(a.rolname, r.oid, 'member'))
    ) else '{}' end
    from asker as a;
end;

comment on function util.fn_bound_tenants(name, name) is
'Tenants that a session is bound to by auth.tenant_role, by its roles and those they belong to; NULL when to none,
empty for a question about somebody else.';
