-- Mutants: an average instead of what nearly all stay below, a figure that falls at once, estimates taken for usage.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_offer('maker', 'model-b', 1, 1);
select test.make_customer('asker');
create function pg_temp.book(p_calls integer, p_prompt integer, p_output integer, p_fact jsonb default '{}') returns void language sql as $$
    select test.book_at('asker', clock_timestamp() - interval '10 minutes' - n * interval '1 millisecond', jsonb_build_object(
        'usage_source', 'provider_final', 'prompt_tokens', p_prompt, 'output_tokens', p_output,
        'decision', '{"asked": {"prompt_tokens": 1000}}'::jsonb
    ) || p_fact)
    from generate_series(1, p_calls) as n;
$$;
select pg_temp.book(99, 400, 50);
select is(ops.fn_learn_usage(), 0, 'ninety-nine calls say little');
select pg_temp.book(900, 400, 50), pg_temp.book(10, 800, 700), pg_temp.book(2, 3000, 9000, '{"usage_source": "estimated"}');
select pg_temp.book(50, 400, 2000, '{"request_type": "essay"}');
select is(ops.fn_learn_usage(), 1, 'a thousand do');
select is(s.prompt_factor, 0.880, 'nearly all prompts have 800 tokens or fewer for an estimated thousand, and a tenth more')
from gateway.offer_usage_s as s where s.load_end_date is null;
select is(s.usual_output, '{"completion": 770}', 'and nearly all answers 700; fifty essays say little')
from gateway.offer_usage_s as s where s.load_end_date is null;
select is((o.prompt_factor, o.usual_output, o.held_input_usd_per_million), (0.880, '{"completion": 770}'::jsonb, 0.880), 'routing knows at once')
from ops.offer as o where o.offer_hk = util.hash_key('maker', 'model-a');
select is(ops.fn_learn_usage(), 0, 'the same once more is no news');
delete from gateway.api_request_attempt_s;
delete from gateway.api_request_s;
delete from gateway.api_request_h;
select pg_temp.book(1000, 100, 50);
select ops.fn_learn_usage();
select is((s.prompt_factor, s.usual_output), (0.704, '{"completion": 616}'::jsonb), 'less is believed by and by')
from gateway.offer_usage_s as s where s.load_end_date is null;
select pg_temp.book(1000, 2500, 50);
select ops.fn_learn_usage();
select is(s.prompt_factor, 2.000, 'more at once, up to a token a byte') from gateway.offer_usage_s as s where s.load_end_date is null;
select is(count(*), 0::bigint, 'of a model without calls nothing is known') from gateway.offer_usage_s as s
where s.offer_hk = util.hash_key('maker', 'model-b');
select * from finish();
rollback;
