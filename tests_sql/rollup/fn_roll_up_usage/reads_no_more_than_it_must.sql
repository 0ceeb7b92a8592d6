begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select format(
    'create table gateway.api_request_s_past partition of gateway.api_request_s for values from (%L) to (%L)',
    util.fn_request_key_at(now() - interval '100 days'), util.fn_request_key_at(now() - interval '70 days')
) \gexec
select test.book_at('user', now() - interval '80 days');
-- Of one month, whenever it is.
select case when date_trunc('month', now()) > now() - interval '3 hours' then now() - interval '4 hours' else now() end as lately \gset
select count(test.book_at('user', :'lately'::timestamptz - m * interval '1 second')) from generate_series(1, 600) as m;
-- Of a few hundred any index is soon read to its end.
insert into gateway.api_request_s
select p.*
from gateway.api_request_s as s
cross join generate_series(1, 120) as h
cross join lateral (
    values (substring(util.fn_request_key_at(s.request_timestamp - h * interval '1 minute'), 1, 8) || substring(s.api_request_hk, 9, 8))
) as k (key)
cross join lateral jsonb_populate_record(s, jsonb_build_object(
    'api_request_hk', k.key, 'request_id', encode(k.key, 'hex')::uuid,
    'request_timestamp', s.request_timestamp - h * interval '1 minute', 'load_date', s.load_date - h * interval '1 minute'
)) as p
where s.request_timestamp > :'lately'::timestamptz - interval '1 day'
order by p.load_date;
analyze gateway.api_request_s;
create temporary table plan as
select test.plan_as('onevault_owner', format(
    'select c.* from ops.fn_count_usage(util.fn_request_key_at(%1$L::timestamptz - interval ''35 days''), ''\xff'', %1$L, %2$L) as c',
    :'lately'::timestamptz - interval '1 minute', :'lately'
)) as text;
select alike(p.text, '%Subplans Removed: %', 'old partitions are cut off') from plan as p;
select unalike(p.text, '%api_request_s_past%', 'and with them what is in them') from plan as p;
select alike(p.text, '%Bitmap Index Scan on api_request_s_%_load_date_request_timestamp_idx%', 'a BRIN finds what was booked')
from plan as p;
select test.roll_up();
create temporary table tail as
select test.plan_as('onevault_owner', 'select u.customer_cost_usd from business_vault.usage_part as u where u.is_live') as text;
select unalike(p.text, '%api_request_s_past%', 'who reads leaves old partitions alone') from tail as p;
select alike(p.text, '%Index Cond: (api_request_hk >= ops.fn_usage_open_key())%', 'and reads a range of keys') from tail as p;
select unalike(p.text, '%Scan%on usage_hourly%', 'and no hours when it asks for live calls') from tail as p;
select * from finish();
rollback;
