-- Mutants: everybody goes back as soon as it has rested; a batch that does not see its own try; a try that nobody is
-- kept waiting for.
begin;
select plan(11);
select test.make_offer('shaky', 'model-a', 1, 1);
select test.make_offer('steady', 'model-a', 2, 2);
select test.make_customer('caller');

create function pg_temp.batch(p_count integer) returns text language sql as $$
    select string_agg(coalesce(r.provider, r.status), ' ' order by r.ordinal)
    from gateway.sp_route_requests((
        select jsonb_agg(jsonb_build_object(
            'digest', encode(sha256('caller/token'), 'hex'), 'ticket', 'x', 'capability', 'chat', 'prompt_bytes', 100, 'messages', 1
        )) from generate_series(1, p_count)
    ), 'unix:/test', false) as r;
$$;
create function pg_temp.later(p_seconds integer) returns void language sql as $$
    update ops.offer_health set rests_until = rests_until - make_interval(secs => p_seconds) where true;
$$;
create function pg_temp.tell(p_outcome text, p_class text) returns void language sql as $$
    select gateway.fn_move_health(jsonb_build_array(jsonb_build_object('attempts', jsonb_build_array(jsonb_build_object(
        'offer', encode(util.hash_key('shaky', 'model-a'), 'hex'), 'outcome', p_outcome, 'class', p_class
    )))));
$$;

select pg_temp.tell('ERROR', 'server_error') from generate_series(1, 2);
select is(c.state, 'closed', 'two failures are bad luck') from ops.circuit_breaker as c;
select is(pg_temp.batch(1), 'shaky', 'and change nothing');
select pg_temp.tell('ERROR', 'server_error');
select is(c.state, 'open', 'three are not') from ops.circuit_breaker as c;
select is(pg_temp.batch(2), 'steady steady', 'and others are asked first');
select pg_temp.later(2);
select is(c.state, 'half open', 'when it has rested') from ops.circuit_breaker as c;
select is(pg_temp.batch(3), 'shaky steady steady', 'one call tries it');
select is(pg_temp.batch(2), 'steady steady', 'and all others wait for what comes of it');
select pg_temp.tell('ERROR', 'server_error');
select ok(c.rests_until > now() + interval '1 second', 'failed again: it rests longer') from ops.circuit_breaker as c;
select pg_temp.later(100);
select is(pg_temp.batch(2), 'shaky steady', 'tried again');
select pg_temp.tell('SUCCESS', null);
select is(c.state, 'closed', 'it has recovered') from ops.circuit_breaker as c;
select is(pg_temp.batch(3), 'shaky shaky shaky', 'and has all calls back');
select * from finish();
rollback;
