-- Mutants: a batch that does not see its own calls, rows that are not moved at its end, refusals that count.
begin;
select plan(14);
select test.make_offer('near', 'model-a', 1, 1);
select test.make_offer('near', 'model-b', 1, 1);
select test.make_offer('far', 'model-a', 2, 2);
select test.make_customer('caller');
select test.make_customer('beggar', '{"cost_budget_daily": 0}');
update admin.provider set requests_per_minute_limit = 30 where provider = 'near';

-- Three at once, and 27 more within the minute.
create function pg_temp.batch(p_count integer, p_call jsonb default '{}', p_customer text default 'caller') returns text
language sql as $$
    select string_agg(coalesce(r.provider, r.status), ' ' order by r.ordinal)
    from gateway.sp_route_requests((
        select jsonb_agg(jsonb_build_object(
            'digest', encode(sha256(convert_to(p_customer || '/token', 'UTF8')), 'hex'), 'ticket', 'x', 'capability', 'chat',
            'prompt_bytes', 100, 'messages', 1
        ) || p_call) from generate_series(1, p_count)
    ), 'unix:/test', false) as r;
$$;
create function pg_temp.later(p_seconds integer) returns void language sql as $$
    update ops.provider_rate set full_at_us = full_at_us - p_seconds * 1000000::bigint where true;
$$;

select is(pg_temp.batch(2, '{}', 'beggar'), 'budget_exceeded budget_exceeded', 'what is refused');
select is(r.full_at_us, 0::bigint, 'is not counted') from ops.provider_rate as r;
select is(pg_temp.batch(5), 'near near near far far', 'a batch sees its own calls');
select is(pg_temp.batch(2), 'far far', 'and the next one what went before');
select is(pg_temp.batch(2, '{"model": "model-b"}'), 'near near', 'what nobody else has is still asked for');
select pg_temp.later(5);
select is(pg_temp.batch(2), 'far far', 'those count as well');
select pg_temp.later(2);
select is(pg_temp.batch(2), 'near far', 'after some seconds there is room for one');
select is(count(*)::integer, 6, 'six went there')
from gateway.api_request_h as h where h.provider_hk = util.hash_key('near');
select is(e.rank, 2::bigint, 'explain_route puts it behind')
from admin.explain_route('caller', '{"model": "model-a", "prompt_tokens": 10}') as e where e.provider = 'near';
create temporary table made as select test.route(sha256('caller/token'), '{"model": "model-a"}') as d;
select test.settle(d) from made;

select pg_temp.later(600);
select ok(r.is_same, 'decided again it goes where it went') from made as m, admin.replay((m.d).request_id::uuid) as r;
select is((select string_agg(b, ' ') from (
    select pg_temp.batch(1) as b from generate_series(1, 4)
) as g), 'near near near far', 'no more than a tenth at once, however long nobody called');
update admin.provider set requests_per_minute_limit = 1 where provider = 'near';
select pg_temp.later(600);
select is(pg_temp.batch(2), 'near far', 'one a minute is one');
update admin.provider set requests_per_minute_limit = null where provider = 'near';
select is((select count(*)::integer from ops.provider_rate), 0, 'no limit, no row');
select is(pg_temp.batch(4), 'near near near near', 'and no end');
select * from finish();
rollback;
