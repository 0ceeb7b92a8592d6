-- Where the rollup of usage ends and reading has to count for itself. Functions, so that a view's plan knows the
-- values.
create or replace function ops.fn_usage_counted_to() returns timestamptz
language sql stable security definer parallel safe
set search_path = ''
return coalesce((select w.counted_to from ops.watermark as w where w.rollup_name = 'usage'), '-infinity');

comment on function ops.fn_usage_counted_to() is
'Facts booked before are in ops.usage_hourly; later ones are to be counted.';

create or replace function ops.fn_usage_open_key() returns bytea
language sql stable security definer parallel safe
set search_path = ''
return coalesce((select w.open_key from ops.watermark as w where w.rollup_name = 'usage'), '\x');

comment on function ops.fn_usage_open_key() is 'No fact that is still to be counted has a lower request key.';
