-- Mutants: a NULL for retry-after that counts as the longest, a shorter rest that ends a longer one, one without an end.
begin;
select plan(10);
select test.make_offer('shaky', 'model-a', 1, 1);
create function pg_temp.fail(p_class text, p_retry_after_ms bigint default null, p_times integer default 1) returns numeric
language plpgsql as $$
begin
    perform gateway.fn_move_health((
        select jsonb_agg(jsonb_build_object('attempts', jsonb_build_array(jsonb_build_object(
            'offer', encode(util.hash_key('shaky', 'model-a'), 'hex'), 'outcome', 'ERROR', 'class', p_class,
            'retry_after_ms', p_retry_after_ms
        )))) from generate_series(1, p_times)
    ));
    return (select round(extract(epoch from h.rests_until - h.last_failed_at)) from ops.offer_health as h);
end
$$;

select is(pg_temp.fail('server_error'), null, 'one failure is no reason');
select is(pg_temp.fail('timeout'), null, 'nor are two');
select is(pg_temp.fail('server_error'), 1::numeric, 'from the third on it rests a second');
select is(pg_temp.fail('server_error'), 2::numeric, 'then two');
select is(pg_temp.fail('rate_limited', 30000), 30::numeric, 'or as long as the provider asks');
select is(pg_temp.fail('server_error'), 30::numeric, 'which no shorter rest ends');
select is(pg_temp.fail('server_error', null, 20), 60::numeric, 'but never more than a minute');
select is(pg_temp.fail('rate_limited', 86400000), 60::numeric, 'whatever a provider asks for');
delete from ops.offer_health where true;
select is(pg_temp.fail('bad_request'), null, 'a customer''s mistake is none of its');
select is(pg_temp.fail('connect', null, 3), 1::numeric, 'three failures in one batch are three');
select * from finish();
rollback;
