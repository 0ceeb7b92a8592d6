-- The moment that configuration is looked at from: SET onevault.as_of = '2026-11-01 12:00+00'. Unset, it is now.
create or replace function util.fn_as_of() returns timestamptz
language sql stable parallel safe
return coalesce(nullif(current_setting('onevault.as_of', true), '')::timestamptz, 'infinity');

comment on function util.fn_as_of() is
'The moment named by the setting onevault.as_of, or infinity: the versions in force now.';

-- Inlined into its views: small enough that the planner sees through it.
create or replace function util.fn_is_in_force(p_load_date timestamptz, p_load_end_date timestamptz) returns boolean
language sql stable parallel safe
return p_load_date <= util.fn_as_of() and (p_load_end_date is null or p_load_end_date > util.fn_as_of());

comment on function util.fn_is_in_force(timestamptz, timestamptz) is
'Whether a version is the one in force at util.fn_as_of().';

create or replace function util.fn_change_reason() returns text
language sql stable parallel safe
return left(nullif(btrim(current_setting('onevault.change_reason', true)), ''), 500);

comment on function util.fn_change_reason() is
'Why things are changed, as the session says: select set_config(''onevault.change_reason'', ''ticket 4711'', true).';

create or replace function util.fn_refuse_past() returns void
language plpgsql
set search_path = ''
as $$
begin
    if util.fn_as_of() <> 'infinity' then
        raise exception using
            errcode = 'VG409', constraint = 'changes_are_made_now',
            message = format('This session looks at the configuration as of %s, which cannot be changed', util.fn_as_of()),
            hint = 'RESET onevault.as_of, and change what is in force now.';
    end if;
end
$$;

comment on function util.fn_refuse_past() is 'Refuses changes while a session looks at the past.';
