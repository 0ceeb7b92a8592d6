-- Mutants: tokens that are not given back, a call that is refused though it could be shorter.
begin;
select plan(9);
select test.make_offer('maker', 'model-a', 0, 1, '{"max_output_tokens": 2000, "default_output_tokens": 800}');
select test.make_customer('talker', '{"markup_percent": 0}');
insert into admin.usage_limit (customer, unit, period, amount) values ('talker', 'TOKENS', 'MINUTE', 1000);
-- 74 tokens of prompt.
create temporary table first as select test.route(sha256('talker/token'), '{"max_output_tokens": 526}') as d;
select is((d).status, 'routed', 'prompt and answer count') from first;
create temporary table second as select test.route(sha256('talker/token'), '{"max_output_tokens": 800}') as d;
select is(
    ((d).detail::jsonb ->> 'max_output_tokens')::integer between 326 and 330, true, 'what is left makes a shorter answer'
) from second;
create temporary table third as select test.route(sha256('talker/token')) as d;
select is(((d).status, (d).http_status), ('rate_limited'::text, 429), 'then one has to wait') from third;
select is((d).retry_after_ms between 40000 and 60000, true, 'until there is room') from third;
select matches((d).message, 'More than 1000 tokens a minute for this customer', 'and is told so') from third;
select test.settle(d, '{"input_uncached": 30, "output": 70}') from first;
select is(
    (test.route(sha256('talker/token'), '{"max_output_tokens": 426}')).status, 'routed', 'what was not used is given back'
);
select is(
    (test.route(sha256('talker/token'), '{"max_output_tokens": 426, "prompt_bytes": 4000}')).message,
    'This call may need 2450 tokens, and the limit ''talker TOKENS MINUTE'' of this customer allows 1000 a minute. '
    || 'Lower max_tokens, or shorten it.', 'what could never pass is told'
);
select is(count(*), 0::bigint, 'nothing is wrong') from ops.invariant_violation as v;
select test.settle(d) from second;
select ok(r.is_same, 'and it is decided again as it was') from second as s, admin.replay((s.d).request_id::uuid) as r;
select * from finish();
rollback;
