-- Mutants: a charge made from the sum, one that forgets what came out of a cache, a minimum, or further meters; a composition that
-- changed at the same cost and is not seen; a second adjustment; more than was held.
begin;
select plan(17);
select test.make_offer('maker', 'model-a', 2, 10, '{"context_tokens": 1000000}');
select test.make_price(util.hash_key('maker', 'model-a'), m.meter, m.usd)
from (values ('cache_read', 0.5), ('cache_write', 2.5), ('search', 10000), ('input_audio', 20)) as m (meter, usd);
select test.make_customer(c, '{"markup_percent": 20}') from unnest('{each,floor,kept,list,mixed,plain,tier}'::text[]) as c;
insert into admin.charge_rule (
    charge_rule, customer, meter, markup_percent, usd_per_million, from_month_usd, minimum_usd, passes_cache_savings
) values
('e1', 'each', 'input', 50, null, 0, null, true), ('e2', 'each', 'output', -50, null, 0, null, true),
('l1', 'list', 'input', null, 5, 0, null, true), ('l2', 'list', 'search', null, 9000, 0, null, true),
('k1', 'kept', null, 10, null, 0, null, false), ('f1', 'floor', null, -50, null, 0, 0.02, true), ('t1', 'tier', null, -20, null, 10, null, true),
('m1', 'mixed', 'input', 50, null, 0, null, false), ('m2', 'mixed', 'output', null, 7, 0, null, true), ('m3', 'mixed', null, -10, null, 0, 0.001, true);

create function test.call(p_customer text, p_usage jsonb) returns bytea language plpgsql as $$
declare
    v_decision gateway.route_decision;
begin
    -- Who spent ten dollars has a price of his own.
    update ops.scope_state set month_spent_usd = 10 where scope_hk = util.hash_key(p_customer);
    v_decision := test.route(sha256(convert_to(p_customer || '/token', 'UTF8')), jsonb_build_object(
        'model', 'model-a', 'prompt_bytes', 5752, 'max_output_tokens', 700, 'searches', 2, 'audio_in', true
    ));
    perform test.settle(v_decision, p_usage);
    return uuid_send(v_decision.request_id::uuid);
end
$$;
create function test.correct(p_prices jsonb) returns void language sql as $$
    update admin.price set usd_per_million = (p_prices ->> meter)::numeric where model = 'model-a' and p_prices ? meter;
$$;
create function test.rerate() returns text language sql as $$
    select string_agg(concat_ws(' ', r.customer, r.requests, r.unpriced_requests, r.delta_provider_cost_usd, r.delta_charge_usd), ', '
        order by r.customer)
    from gateway.sp_rerate((now() at time zone 'UTC')::date, 'the price was wrong', null, true) as r;
$$;
-- What stands of a call: booked, and adjusted.
create function test.stands(p_request_hk bytea) returns numeric language sql as $$
    select trim_scale(s.customer_cost + coalesce((
        select sum(j.delta_charge) from gateway.charge_adjustment_s as j where j.api_request_hk = s.api_request_hk
    ), 0))
    from gateway.api_request_s as s where s.api_request_hk = p_request_hk;
$$;
\set usage '''{"input_uncached": 1000, "cache_read": 500, "cache_write": 200, "output": 100, "other": {"search":2, "input_audio":100, "cache_read_audio":40}}'''
select test.call(c, '{"input_uncached": 1, "output": 1}') from unnest('{each,floor,kept,list,mixed,plain,tier}'::text[]) as c;
create temporary table called as
select c.name, test.call(c.name, :usage) as hk from unnest('{each,floor,kept,list,mixed,plain,tier}'::text[]) as c (name);
create temporary table even as select test.call('each', '{"input_uncached": 1000, "output": 100}') as hk;
select is(test.rerate(), null, 'by the prices they were booked at, nothing changes');

select test.correct('{"input": 3, "output": 8, "cache_read": 0.25, "cache_write": 3, "search": 12000, "input_audio": 30}');
create temporary table fresh as select c.name, test.call(c.name, :usage) as hk from called as c;
select matches(test.rerate(), '^each 3 0 .* plain 2 0 .* tier 2 0 [^,]*$', 'all are rated again: those of the fresh prices are as they are');
-- By hand, in millionths of a dollar: input, cache_read, cache_write, output, search, input_audio, cache_read_audio.
select results_eq(
    $$select c.name, test.stands(c.hk) from called as c order by c.name$$,
    $$values
        ('each', (1000 * 3 * 1.5 + 500 * 0.25 * 1.2 + 200 * 3 * 1.2 + 100 * 8 * 0.5 + 2 * 12000 * 1.2 + 100 * 30 * 1.2 + 40 * 0.25 * 1.2) / 1e6),
        ('floor', 0.02),
        ('kept', (1000 * 3 + 500 * 3 + 200 * 3 + 100 * 8 + 2 * 12000 + 100 * 30 + 40 * 30) * 1.1 / 1e6),
        ('list', (1000 * 5 + 500 * 0.25 * 1.2 + 200 * 3 * 1.2 + 100 * 8 * 1.2 + 2 * 9000 + 100 * 30 * 1.2 + 40 * 0.25 * 1.2) / 1e6),
        ('mixed', (1000 * 3 * 1.5 + 500 * 3 * 1.5 + 200 * 3 * 0.9 + 100 * 7 + 2 * 12000 * 0.9 + 100 * 30 * 0.9 + 40 * 0.25 * 0.9) / 1e6),
        ('plain', (1000 * 3 + 500 * 0.25 + 200 * 3 + 100 * 8 + 2 * 12000 + 100 * 30 + 40 * 0.25) * 1.2 / 1e6),
        ('tier', (1000 * 3 + 500 * 0.25 + 200 * 3 + 100 * 8 + 2 * 12000 + 100 * 30 + 40 * 0.25) * 0.8 / 1e6)$$,
    'each by his rules, as one reckons it by hand'
);
select results_eq(
    'select c.name, test.stands(c.hk) from called as c order by c.name', 'select f.name, test.stands(f.hk) from fresh as f order by f.name',
    'and as a call at these prices is charged'
);
select is((select count(*) from gateway.charge_adjustment_s as j inner join fresh as f on j.api_request_hk = f.hk), 0::bigint, 'which is not adjusted');
select is(test.rerate(), null, 'a second run finds nothing');
select is((select sum(j.house_loss) from gateway.charge_adjustment_s as j), 0::numeric, 'all of it was held');

-- The same cost, made up otherwise: 1000 * 3 + 100 * 8 = 1000 * 2.8 + 100 * 10.
select test.correct('{"input": 2.8, "output": 10}');
select test.rerate();
select is(test.stands(e.hk), (1000 * 2.8 * 1.5 + 100 * 10 * 0.5) / 1e6, 'is charged otherwise') from even as e;
select is(
    (select j.delta_provider_cost || ' ' || trim_scale(j.delta_charge) from gateway.charge_adjustment_s as j
        inner join even as e on j.api_request_hk = e.hk order by j.load_date desc limit 1), '0.0000000000 -0.0002', 'without the provider asking more'
);
select is(test.rerate(), null, 'once');
-- Cached input is charged as input: whose price alone is another.
create temporary table cached as select test.call('kept', '{"input_uncached": 0, "cache_read": 1000, "output": 0}') as hk;
select test.correct('{"input": 4}');
select test.rerate();
select is(test.stands(c.hk), 1000 * 4 * 1.1 / 1e6, 'what would have been asked without a cache counts') from cached as c;
select test.correct('{"input": 2.8}');
select test.rerate();
select is(test.stands(c.hk), 1000 * 2.8 * 1.1 / 1e6, 'and what was booked comes back') from cached as c;

-- The floor no longer holds, and the hold does.
select test.correct('{"search": 20000}');
select test.rerate();
select is(
    test.stands(c.hk), least((1000 * 2.8 + 500 * 0.25 + 200 * 3 + 100 * 10 + 2 * 20000 + 100 * 30 + 40 * 0.25) * 0.5 / 1e6, s.reserved_cost),
    'above the least it is the percentage'
)
from called as c inner join gateway.api_request_s as s on c.hk = s.api_request_hk where c.name = 'floor';
select test.correct('{"output": 10000000}');
select test.rerate();
select results_eq(
    $$select c.name, test.stands(c.hk) from called as c where c.name <> 'mixed' order by c.name$$,
    $$select c.name, trim_scale(s.reserved_cost) from called as c inner join gateway.api_request_s as s on c.hk = s.api_request_hk
        where c.name <> 'mixed' order by c.name$$, 'nobody pays more than was held'
);
select is(test.stands(c.hk), (1000 * 2.8 * 1.5 + 500 * 2.8 * 1.5 + 200 * 3 * 0.9 + 100 * 7 + 2 * 20000 * 0.9 + 100 * 30 * 0.9 + 40 * 0.25 * 0.9) / 1e6,
    'whose answers have a list price pays that for them')
from called as c where c.name = 'mixed';
-- What has no price any more stays, and only that is told.
delete from admin.price where model = 'model-a' and meter = 'search';
select is(test.rerate(), string_agg(n.name || ' 0 ' || n.calls || ' 0 0', ', ' order by n.name), 'what has no price any more stays as it stands')
from (select c.name, 2 as calls from called as c) as n;
select is(test.rerate() ~ ' 0 2 0 0', true, 'and is told again');
select * from finish();
rollback;
