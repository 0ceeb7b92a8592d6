-- A day is found by its range of keys, so who asks for few days reads few rows.
drop view if exists ops.reconciliation_request;
drop view if exists ops.reconciliation;
drop view if exists ops.booked_usage;
drop view if exists ops.imported_usage;
drop view if exists ops.billable_attempt;
drop view if exists ops.booked_day;
create view ops.booked_day as
select n.first_day + s.days as usage_day
from (
    select (util.fn_request_time(f.first_hk) at time zone 'UTC')::date as first_day
    from (select min(x.api_request_hk) as first_hk from gateway.api_request_attempt_s as x) as f
) as n
cross join lateral generate_series(0, (now() at time zone 'UTC')::date - n.first_day + 1) as s (days);

comment on view ops.booked_day is 'Days (UTC) from the first that was booked to tomorrow.';
