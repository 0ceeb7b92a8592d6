-- Days, weeks (from Monday) and months since 1970 by the tenant's clock. A day on which the clocks change is one day.
create or replace function util.fn_window_number(p_local timestamp, p_period text) returns integer
language sql immutable parallel safe
return case p_period
    when 'DAY' then p_local::date - date '1970-01-01'
    when 'WEEK' then floor((p_local::date - date '1970-01-05') / 7.0)::integer
    when 'MONTH' then ((extract(year from p_local) - 1970) * 12 + extract(month from p_local) - 1)::integer
    else 0
end;

comment on function util.fn_window_number(timestamp, text) is
'Number of the DAY, WEEK or MONTH that a local time is in; 0 for what has no window.';

create or replace function util.fn_window_begin(p_number integer, p_period text, p_time_zone text)
returns timestamptz
language sql stable parallel safe
return case p_period
    when 'DAY' then (date '1970-01-01' + p_number)::timestamp
    when 'WEEK' then (date '1970-01-05' + 7 * p_number)::timestamp
    when 'MONTH' then date '1970-01-01' + make_interval(months => p_number)
end at time zone p_time_zone;

comment on function util.fn_window_begin(integer, text, text) is
'When a numbered DAY, WEEK or MONTH begins in a time zone; NULL for what has no window.';
