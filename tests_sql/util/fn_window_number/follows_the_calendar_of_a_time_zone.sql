begin;
select plan(12);
create function pg_temp.window(p_at timestamptz, p_period text, p_zone text) returns tstzrange language sql as $$
    select tstzrange(util.fn_window_begin(w.number, p_period, p_zone), util.fn_window_begin(w.number + 1, p_period, p_zone))
    from (select util.fn_window_number(p_at at time zone p_zone, p_period) as number) as w;
$$;
select is(upper(w) - lower(w), interval '23 hours', 'the day on which clocks go forward is short')
from pg_temp.window('2026-03-29 10:00+00', 'DAY', 'Europe/Berlin') as w;
select is(upper(w) - lower(w), interval '25 hours', 'the day on which they go back is long')
from pg_temp.window('2026-10-25 10:00+00', 'DAY', 'Europe/Berlin') as w;
select is(lower(w), '2026-03-28 23:00+00', 'it begins at its own midnight')
from pg_temp.window('2026-03-29 00:30+01', 'DAY', 'Europe/Berlin') as w;
select is(
    pg_temp.window('2026-10-25 02:30+02', 'DAY', 'Europe/Berlin'), pg_temp.window('2026-10-25 02:30+01', 'DAY', 'Europe/Berlin'),
    'the hour that comes twice is of one day'
);
select is(lower(w), '2026-03-23 00:00+01', 'a week begins on Monday') from pg_temp.window('2026-03-29 23:30+02', 'WEEK', 'Europe/Berlin') as w;
select is(upper(w), '2026-03-30 00:00+02', 'and ends before the next, clocks or not') from pg_temp.window('2026-03-23 00:00+01', 'WEEK', 'Europe/Berlin') as w;
select is(pg_temp.window('2028-02-29 12:00+00', 'MONTH', 'UTC'), '[2028-02-01 00:00+00,2028-03-01 00:00+00)', 'a leap day is of its month');
select is(upper(w) - lower(w), interval '1 day', 'and a day') from pg_temp.window('2028-02-29 12:00+00', 'DAY', 'UTC') as w;
select is(upper(w), '2026-12-31 10:00+00', 'a year ends where the tenant is')
from pg_temp.window('2026-12-31 09:59+00', 'MONTH', 'Pacific/Kiritimati') as w;
select is(w, '(,)', 'TOTAL has no bounds') from pg_temp.window(now(), 'TOTAL', 'UTC') as w;
select is(util.fn_window_number('1970-01-04', 'WEEK'), -1, 'weeks count from the first Monday');
select is(util.fn_window_number('1969-12-31', 'MONTH'), -1, 'months before 1970 are below zero');
select * from finish();
rollback;
