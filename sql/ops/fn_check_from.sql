-- How far back the invariants look: two days, or from the moment in onevault.check_from. Older rows were looked at when
-- they were new, and are written once.
create or replace function ops.fn_check_from() returns bytea
language sql stable
return util.fn_request_key_at(coalesce(
    nullif(current_setting('onevault.check_from', true), '')::timestamptz, now() - interval '2 days'
));

comment on function ops.fn_check_from() is
'The lowest request key that the invariants look at: of two days ago, or of the setting onevault.check_from.';
