-- A billing period is found in the index as a range of times: by a row of plain columns, because what a view reckons
-- from another row stays behind row-level security, where no index is. And a customer's entries are cut by when they
-- were booked in the same index, in place of two indexes laid over each other for every month there ever was. What a
-- request's provider met stands with the request, where something was required: the others carry no byte of it.
set local role onevault_owner;

create table util.month_r (
    month date primary key,
    begins_after timestamptz not null,
    ends_before timestamptz not null
);

comment on table util.month_r is
'Reference: calendar months. Within its bounds lies all that has the month on any clock: none is 16 hours off UTC.';

insert into util.month_r (month, begins_after, ends_before)
select
    m.begin::date, m.begin at time zone 'UTC' - interval '16 hours',
    (m.begin + interval '1 month') at time zone 'UTC' + interval '16 hours'
from generate_series(timestamp '2000-01-01', timestamp '2199-12-01', interval '1 month') as m (begin);

-- Bookings wait while it is built: about five seconds for a million requests. An operator may build it before.
-- squawk-ignore require-concurrent-index-creation
create index if not exists api_request_s_by_customer_and_times
on gateway.api_request_s (customer_hk, request_timestamp, load_date);
-- squawk-ignore require-concurrent-index-deletion
drop index if exists gateway.api_request_s_by_customer_and_time;

alter table gateway.api_request_s add column compliance_met text[];
comment on column gateway.api_request_s.compliance_met is
'Compliance levels that its provider met for its model when it was chosen; NULL where none were required, and for
requests before this was kept, whose attempts know.';
