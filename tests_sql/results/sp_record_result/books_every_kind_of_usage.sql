begin;
select plan(22);
select test.make_offer('maker', 'all', 2, 10, '{"default_output_tokens": 1000}');
select test.make_price(util.hash_key('maker', 'all'), m.meter, m.usd, '-infinity', m.key::jsonb)
from (values
    ('cache_write_1h', 4, '{}'), ('output_image', 30, '{}'), ('search', 10000, '{}'),
    ('image', 40000, '{"variant": "1024x1024/low"}'), ('image', 80000, '{"variant": "1024x1024/high"}')
) as m (meter, usd, key);
select test.make_customer('buyer', '{"cost_budget_daily": 10, "markup_percent": 0}');
select test.make_offer('maker', 'plain', 2, 10);
insert into admin.usage_limit (customer, unit, period, amount) values ('buyer', 'TOKENS', 'DAY', 1000000);
create table pg_temp.told (name text, request uuid, receipt jsonb);
create function pg_temp.book(p_name text, p_model text, p_usage jsonb, p_attempt jsonb default '{}') returns numeric language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(
        sha256('buyer/token'), jsonb_build_object('model', p_model, 'searches', (p_model = 'all')::integer, 'prompt_bytes', 40000)
    );
    v_receipt jsonb;
begin
    perform gateway.sp_read_messages(100, 60);
    v_receipt := gateway.sp_record_result(test.make_result(
        v_decision, jsonb_build_array(test.one_attempt(v_decision, p_usage, p_attempt))
    ));
    insert into pg_temp.told values (p_name, v_decision.request_id::uuid, v_receipt);
    return trim_scale((v_receipt #>> '{cost,provider}')::numeric);
end
$$;
select is(
    pg_temp.book('all', 'all', '{"input_uncached": 1000, "cache_read": 0, "cache_write": 100, "output": 200, "reasoning": 50, "other": {
        "cache_write_1h": 1200, "input_audio": 30, "output_audio": 5, "cache_read_audio": 7, "input_image": 3, "output_image": 416,
        "image/1024x1024/high": 1, "search": 3, "image/1024x1024/low": 0
    }}'),
    -- 1000 × 2 + 100 × 2 + 200 × 10 + 1200 × 4 + (30 + 7 + 3) × 2 + 5 × 10 + 416 × 30 + 80000 + 3 × 10000 = 131610 per million
    0.13161, 'each bucket at its price, or at that of what it is a kind of'
);
select is(
    receipt #> '{usage,other}', '{"cache_write_1h": 1200, "input_audio": 30, "output_audio": 5, "cache_read_audio": 7,
        "input_image": 3, "output_image": 416, "image/1024x1024/high": 1, "search": 3}'::jsonb, 'the receipt tells them'
) from pg_temp.told;
select is(
    (d.input_tokens, d.cache_write_tokens, d.cache_write_1h_tokens, d.input_audio_tokens, d.output_audio_tokens, d.cache_read_audio_tokens),
    (1000::bigint, 100::bigint, 1200::bigint, 30::bigint, 5::bigint, 7::bigint), 'request_detail shows tokens'
) from business_vault.request_detail as d inner join pg_temp.told as t on d.request_id = t.request;
select is(
    (d.input_image_tokens, d.output_image_tokens, d.image_count, d.search_count, d.audio_seconds, d.service_tier),
    (3::bigint, 416::bigint, 1::bigint, 3::bigint, null::numeric, null::text), 'and pieces'
) from business_vault.request_detail as d inner join pg_temp.told as t on d.request_id = t.request;
select is(
    (s.prompt_tokens, s.completion_tokens, s.total_tokens, s.other_tokens),
    (2340::bigint, 621::bigint, 2961::bigint, 1661::bigint), 'tokens of all kinds are in the totals'
) from gateway.api_request_s as s inner join pg_temp.told as t on s.api_request_hk = uuid_send(t.request);
select is(
    a.other_usage -> 'output_image', '{"units": 416, "usd_per_million": 30}'::jsonb, 'the attempt keeps units and price'
) from gateway.api_request_attempt_s as a inner join pg_temp.told as t on a.api_request_hk = uuid_send(t.request);
select is((select sum(u.total_tokens) from business_vault.usage_hourly as u where u.customer = 'buyer'), 2961::numeric, 'not rolled up yet');
select test.roll_up();
select is(
    (select (sum(u.other_tokens), sum(u.total_tokens)) from business_vault.usage_daily as u where u.customer = 'buyer'),
    (1661::numeric, 2961::numeric), 'rolled up'
);
select is(pg_temp.book('none', 'plain', '{"input_uncached": 10, "output": 1, "other": null}'), 0.00003, 'nothing else');
select is((a.other_usage, a.other_tokens), (null::jsonb, null::bigint), 'writes nothing else')
from gateway.api_request_attempt_s as a inner join pg_temp.told as t on a.api_request_hk = uuid_send(t.request) where t.name = 'none';
select is(receipt #> '{usage,other}', 'null', 'nor does the receipt tell any') from pg_temp.told where name = 'none';
select is_empty('select * from ops.unpriced_attempt', 'so far all had a price');
select is(pg_temp.book('search', 'plain', '{"input_uncached": 10, "output": 1, "other": {"search": 2}}'), 0.00003, 'a search without a price');
select is(a.other_usage, '{"search": {"units": 2, "usd_per_million": null}}'::jsonb, 'is booked')
from gateway.api_request_attempt_s as a inner join pg_temp.told as t on a.api_request_hk = uuid_send(t.request) where t.name = 'search';
select is(
    (select u.finding from ops.unpriced_attempt as u), 'used search at maker/plain, not all of it with a price', 'and found'
);
select is(
    (select c.finding from admin.sp_check_house() as c where c.check_name = 'unpriced_attempt' and not c.is_ok),
    (select format('1 violations; %s used search at maker/plain, not all of it with a price', t.request) from pg_temp.told as t where t.name = 'search'),
    'the doctor names it'
);
select is(
    pg_temp.book('size', 'all', '{"input_uncached": 0, "output": 0, "other": {"image/4096x4096/high": 1}}'), 0.08,
    'a picture of a size without a price at that of the dearest'
);
select is((select count(*) from ops.unpriced_attempt), 2::bigint, 'and found, too');
select is(
    pg_temp.book('guess', 'plain', '{"input_uncached": null, "output": null, "other": {"output_image": 100}}', '{"output_bytes": 800000}'),
    0.021, 'a picture is no text: its bytes are no tokens'
);
select is(
    (gateway.fn_read_receipt(uuid_send(t.request), util.hash_key('buyer'), false) -> 'usage') - 'settled', t.receipt -> 'usage',
    'the receipt read again'
) from pg_temp.told as t where t.name = 'all';
select is(
    (select l.spent from ops.usage_limit as l), (select sum(s.total_tokens) from gateway.api_request_s as s), 'limits count tokens of all kinds'
);
select is(
    (select f.day_spent from ops.scope_fact as f where f.scope_hk = util.hash_key('buyer')), (test.scope_of('buyer')).day_spent_usd,
    'the budget moved by what it cost'
);
select * from finish();
rollback;
