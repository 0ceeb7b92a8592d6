-- Mutants: thoughts counted as words, estimates taken for usage, answers that broke off.
begin;
select plan(5);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('asker');
create function pg_temp.book(p_calls integer, p_attempt jsonb) returns void language sql as $$
    select test.book_at(
        'asker', clock_timestamp() - interval '10 minutes' - n * interval '1 millisecond',
        '{"usage_source": "provider_final", "prompt_tokens": 1000, "decision": {"asked": {"prompt_tokens": 1000}}}',
        '{"usage_source": "provider_final", "output_bytes": 64, "output_tokens": 25, "reasoning_tokens": 5}'::jsonb || p_attempt
    )
    from generate_series(1, p_calls) as n;
$$;
select pg_temp.book(99, '{}');
select ops.fn_learn_usage();
select is(count(*), 0::bigint, 'ninety-nine answers say little') from gateway.offer_usage_s as s;
select pg_temp.book(1, '{}'), pg_temp.book(50, '{"usage_source": "estimated", "output_bytes": 1}'),
    pg_temp.book(50, '{"outcome": "CANCELLED", "output_bytes": 1, "is_charged": false}');
select is(ops.fn_learn_usage(), 1, 'a hundred do');
select is(s.bytes_per_token, 3.200, 'by what was said, not by what was thought') from gateway.offer_usage_s as s where s.load_end_date is null;
select is(o.prices -> 'bytes_per_token', '3.200', 'and calls are pinned to it') from ops.offer as o where o.offer_hk = util.hash_key('maker', 'model-a');
select is(ops.fn_learn_usage(), 0, 'the same once more is no news');
select * from finish();
rollback;
