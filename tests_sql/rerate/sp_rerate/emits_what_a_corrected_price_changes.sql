begin;
select plan(21);
select test.make_offer('maker', 'model-a', 1000, 2000);
select test.make_price(util.hash_key('maker', 'model-a'), 'input', 3000, '-infinity', '{"threshold_tokens": 200}');
select test.make_customer('ours', '{"markup_percent": 25}', 'tenant a'), test.make_customer('theirs', '{"markup_percent": 25}', 'tenant b');
create function test.call(p_customer text, p_usage jsonb, p_request jsonb default '{}') returns text language sql as $$
    select test.settle(
        test.route(sha256(convert_to(p_customer || '/token', 'UTF8')), '{"model": "model-a", "max_output_tokens": 1000, "prompt_bytes": 4000}'::jsonb || p_request),
        p_usage
    ) ->> 'request_id';
$$;
create function test.rerate(p_customer text default null, p_apply boolean default true) returns text language sql as $$
    select string_agg(concat_ws(
        ' ', r.customer, r.model, r.requests, r.unpriced_requests, r.delta_provider_cost_usd, r.delta_charge_usd, r.house_loss_usd
    ), ', ' order by r.customer, r.model)
    from gateway.sp_rerate((now() at time zone 'UTC')::date, 'the price was wrong', p_customer, p_apply) as r;
$$;
create function test.correct(p_meter text, p_usd numeric, p_threshold integer default 0) returns void language sql as $$
    update admin.price set usd_per_million = p_usd
    where provider = 'maker' and model = 'model-a' and meter = p_meter and threshold_tokens = p_threshold;
$$;
create temporary table called as
select test.call('ours', '{"input_uncached": 100, "output": 50}') as small, test.call('ours', '{"input_uncached": 201, "output": 0}') as large,
    test.call('theirs', '{"input_uncached": 100, "cache_read": 10, "output": 50}') as foreign_one;
select is(test.rerate(), null, 'by the prices they were booked at, nothing changes');

select test.correct('output', 1000);
select is(
    test.rerate(null, false), 'ours model-a 1 0 -0.05 -0.0625 0, theirs model-a 1 0 -0.05 -0.0625 0', 'a dry run tells what would change'
);
select is((select count(*) from gateway.charge_adjustment_s), 0::bigint, 'and writes nothing');
select is(test.rerate('OURS'), 'ours model-a 1 0 -0.05 -0.0625 0', 'of one customer alone');
select is(test.rerate(), 'theirs model-a 1 0 -0.05 -0.0625 0', 'then of the others, and no request twice');
select is(test.rerate(), null, 'and nothing any more');
select results_eq(
    $$select j.api_request_hk, j.old_provider_cost, j.new_provider_cost, j.old_charge, j.new_charge, j.attempt_costs, j.reason::text,
        j.billing_period from gateway.charge_adjustment_s as j where j.customer_hk = util.hash_key('ours')$$,
    $$select uuid_send(c.small::uuid), 0.2, 0.15, 0.25, 0.1875, '{"1": "-0.0500000000"}'::jsonb, 'the price was wrong',
        date_trunc('month', now() at time zone 'UTC')::date from called as c$$,
    'an adjustment says what was, what is, and why'
);
select is(
    (select sum(s.customer_cost) from gateway.api_request_s as s where s.customer_hk = util.hash_key('ours')), 0.25 + 0.75375, 'nothing booked is changed'
);
select throws_ok('update gateway.charge_adjustment_s set new_charge = 0', 'VG409', null, 'nor is an adjustment');
select throws_ok('delete from gateway.charge_adjustment_s', 'VG409', null, 'or deleted');

select test.correct('output', 2000);
select is(test.rerate('ours'), 'ours model-a 1 0 0.05 0.0625 0', 'a price that comes back brings back what was booked');
select test.correct('input', 4000, 200);
select is(test.rerate('ours'), 'ours model-a 1 0 0.201 0.25125 0', 'long prompts by the price for long ones');
insert into admin.price (provider, model, meter, usd_per_million, valid_from) values ('maker', 'model-a', 'cache_read', 100, now() - interval '1 day'),
    ('maker', 'model-a', 'input', 9999, now() + interval '1 day');
select is(test.rerate('theirs'), 'theirs model-a 1 0 0.041 0.05125 0', 'a price from a day in the past on, and none of the future');

-- What was held is the most that a customer pays.
select test.correct('output', 200000);
select is(
    test.rerate('theirs'), format('theirs model-a 1 0 9.9 %s %s', trim_scale(s.reserved_cost - 0.25125), trim_scale(12.62625 - s.reserved_cost)),
    'what is above it is the house''s'
)
from gateway.api_request_s as s where s.customer_hk = util.hash_key('theirs');
select is(
    (select sum(j.delta_charge) + 0.2625 - max(s.reserved_cost) from gateway.charge_adjustment_s as j
        inner join gateway.api_request_s as s on j.api_request_hk = s.api_request_hk where j.customer_hk = util.hash_key('theirs')),
    0::numeric, 'and the sum of all adjustments says so'
);

-- A price that is missing is never taken as none.
delete from admin.price where provider = 'maker' and model = 'model-a' and meter = 'output';
select is(test.rerate('theirs'), 'theirs model-a 0 1 0 0 0', 'what has no price any more stays as it stands, and is told');
select test.make_price(util.hash_key('maker', 'model-a'), 'output', 2000);
select test.rerate();

-- Attempts that are not charged cost the house; a customer's own key costs him a fee.
update gateway.api_request_attempt_s set is_charged = false where customer_hk = util.hash_key('theirs');
select test.correct('output', 4000);
select is(test.rerate('theirs'), 'theirs model-a 1 0 0.1 0 0', 'for what he is not charged the customer pays nothing');
select test.make_customer('third', '{"markup_percent": 25}', 'tenant c');
select test.call('third', '{"input_uncached": 201, "output": 0}');
update gateway.api_request_attempt_s set is_own_key = true, own_key_cost = provider_cost, provider_cost = 0
where customer_hk = util.hash_key('third');
update gateway.api_request_s set own_key_cost = provider_cost, gateway_markup = customer_cost, provider_cost = 0
where customer_hk = util.hash_key('third');
select test.correct('input', 8000, 200);
select test.rerate('third');
select results_eq(
    $$select j.delta_provider_cost, j.new_own_key_cost, j.new_charge from gateway.charge_adjustment_s as j
        where j.customer_hk = util.hash_key('third')$$, $$values (0.0, 1.608, 0.402)$$, 'by his own key the fee alone'
);
-- Its tenant's clock says which month a request is of.
select test.make_tenant('tenant d', '{"time_zone": "Pacific/Kiritimati"}');
select test.make_customer('fourth', '{}', 'tenant d');
select test.book_at('fourth', '2026-10-31 09:59+00'), test.book_at('fourth', '2026-10-31 10:01+00'), test.book_at('fourth', '2026-11-30 10:01+00');
select is(
    (select array_agg(r.api_request_hk) from gateway.fn_rerate('2026-11-01', util.hash_key('fourth')) as r),
    (select array_agg(s.api_request_hk) from gateway.api_request_s as s
        where s.customer_hk = util.hash_key('fourth') and s.request_timestamp = '2026-10-31 10:01+00'),
    'a month is of the tenant''s time zone'
);
select throws_ok($$select gateway.sp_rerate('2026-11-01', ' ')$$, 'VG400', null, 'it needs a reason');
select throws_ok($$select gateway.sp_rerate('2026-11-01', 'x', 'nobody')$$, 'VG404', null, 'and a customer that there is');
select * from finish();
rollback;
