-- Requests that were booked long after they were made: each is noted once, when it is found. And corrections of charges
-- as events of exports.
set local role onevault_owner;

create table gateway.late_request_s (
    api_request_hk bytea not null,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    billing_period date not null,
    offer_hk bytea not null,
    charge_usd numeric(20, 10) not null,
    record_source varchar(100) not null,
    primary key (api_request_hk, customer_hk),
    constraint billing_period_is_a_month check (extract(day from billing_period) = 1)
);
create index late_request_s_by_customer on gateway.late_request_s (customer_hk, billing_period);
alter table gateway.late_request_s enable row level security, force row level security;
create policy owner_sees_all on gateway.late_request_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.late_request_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

comment on table gateway.late_request_s is
'Requests that were booked more than 35 days after they were made: they count as usage, and are billed, from when they
were noted here.';
comment on column gateway.late_request_s.load_date is 'When it was found.';
comment on column gateway.late_request_s.billing_period is
'Month of the request, in its tenant''s time zone; its first day.';

-- In the place of the request's key a correction has the adjustment's.
alter table gateway.usage_event_l add column refers_to_hk bytea;
-- squawk-ignore ban-drop-constraint
alter table gateway.usage_event_l drop constraint event_tells_of_something;
alter table gateway.usage_event_l
add constraint event_tells_of_something
check (event_value > 0 or event_value < 0 and refers_to_hk is not null) not valid;
comment on table gateway.usage_event_l is
'Link: a settled request, or the adjustment of one, and an export: the outbox. Written in the transaction that charges
or adjusts the request.';
comment on column gateway.usage_event_l.api_request_hk is 'Key of the request; of a correction that of its adjustment.';
comment on column gateway.usage_event_l.refers_to_hk is
'Request whose charge this corrects; NULL for the charge itself.';

-- They take or tell more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_recharge(gateway.api_request_s, numeric, numeric, boolean);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_reprice_attempts(date, bytea);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_bill_document(bytea, text, text, date, timestamptz);
