-- Mutants: a key's limit that counts the fee instead of what the provider asks, or what the house's key was charged; a
-- full key that goes on being tried, or closes the house's with it; a hold that is not released, or in one window only;
-- a failed attempt that costs and is not counted; a limit of one customer's key that another's calls use up.
begin;
select plan(33);
select test.make_offer('maker', 'model-a', 0, 1000000, '{"max_output_tokens": 2000}');
select test.make_customer('caller', '{"markup_percent": 10}');
select test.make_customer('other', '{"markup_percent": 10}');
select admin.sp_set_provider_key('maker', null, 'default', sha256('house'), '\x01', 'k1', false);
select admin.sp_set_provider_key('maker', c.name, null, sha256(convert_to(c.name, 'UTF8')), '\x02', 'k1', false)
from (values ('caller'), ('other')) as c (name);
create function pg_temp.key(p_name text default null, p_customer text default 'caller') returns text
language sql as $$
    select encode(admin.sp_identify_provider_key('maker', p_customer, p_name), 'hex');
$$;
create function pg_temp.ask(p_tokens integer, p_customer text default 'caller') returns gateway.route_decision
language sql as $$
    select test.route(
        sha256(convert_to(p_customer || '/token', 'UTF8')), jsonb_build_object('max_output_tokens', p_tokens)
    );
$$;
create function pg_temp.keys(p_decision gateway.route_decision) returns jsonb language sql as $$
    select q.message #> '{candidates,0,own_keys}' from pgmq.q_standard as q
    where q.message ->> 'request' = (p_decision).request_id;
$$;
create function pg_temp.used(out day text, out month text) language sql as $$
    select
        max((trim_scale(l.spent), trim_scale(l.held))::text) filter (where l.period = 'DAY'),
        max((trim_scale(l.spent), trim_scale(l.held))::text) filter (where l.period = 'MONTH')
    from ops.usage_limit as l where l.provider_key_hk = decode(pg_temp.key(), 'hex');
$$;
create function pg_temp.tell(p_decision gateway.route_decision, p_attempts jsonb) returns jsonb
language plpgsql as $$
begin
    perform gateway.sp_read_messages(100, 60);
    return gateway.sp_record_result(test.make_result(p_decision, (
        select jsonb_agg(
            test.one_attempt(p_decision, a.attempt -> 'usage', a.attempt || jsonb_build_object('number', a.number))
            order by a.number
        )
        from jsonb_array_elements(p_attempts) with ordinality as a (attempt, number)
    )));
end
$$;

select is(p.limit_hks, null, 'without a limit there is nothing to look at') from ops.principal as p where p.customer_bk = 'caller';
update admin.provider_key set falls_back = false, daily_spending_limit = 1000, monthly_spending_limit = 1500
where customer = 'caller';
select is(cardinality(p.limit_hks), 2, 'calls fall under both') from ops.principal as p where p.customer_bk = 'caller';
select is(p.limit_hks, null, 'and nobody else''s') from ops.principal as p where p.customer_bk = 'other';

create temporary table first as select pg_temp.ask(600) as d;
select is((d).status, 'routed', 'there is room') from first;
select is(r.held_usd, 60::numeric, 'the fee is held of his budget') from ops.reservation as r;
select is(u::text, '("(0,600)","(0,600)")', 'and what the provider may ask of his key''s limits') from pg_temp.used() as u;
create temporary table second as select pg_temp.ask(600) as d;
select is((d).detail::jsonb, '{"max_output_tokens": 400, "by": "budget"}', 'the next is shortened to what is left') from second;
create temporary table third as select pg_temp.ask(600) as d;
select is(((d).status, (d).http_status), ('budget_exceeded'::text, 402), 'then none') from third;
select matches(
    (d).message, '^The budget ''maker key own'' of this key for maker is 1000 USD a day; 0 are spent and 1000 held',
    'which names the key, not its signs'
) from third;
select is(
    (d).detail::jsonb #> '{budget,scope}', '"key"', 'and its scope'
) from third;
select is((pg_temp.ask(600, 'other')).status, 'routed', 'another''s key has room');

select pg_temp.tell(d, jsonb_build_array(jsonb_build_object(
    'key', pg_temp.key(), 'usage', '{"input_uncached": 10, "output": 100}'::jsonb
))) from first;
select is(u::text, '("(100,400)","(100,400)")', 'spent is what the provider asks') from pg_temp.used() as u;
select is(count(*), 0::bigint, 'as the books say') from ops.invariant_violation as v;
select is(
    (b.scope, b.period, b.limit_usd, b.spent_usd, b.held_usd, b.remaining_usd, b.provider, b.limit_name)::text,
    '(key,daily,1000,100,400,500,maker,"maker key own")', 'and as budget_status tells'
)
from business_vault.budget_status as b where b.scope = 'key' and b.period = 'daily';

-- A failed attempt that the provider charges, and another that the house's key answered.
update admin.provider_key set falls_back = true where customer = 'caller';
select pg_temp.tell(d, jsonb_build_array(
    jsonb_build_object(
        'key', pg_temp.key(), 'outcome', 'ERROR', 'class', 'server_error', 'output_bytes', 0,
        'usage', '{"input_uncached": 10, "output": 30}'::jsonb
    ),
    jsonb_build_object('key', encode(admin.sp_identify_provider_key('maker', null, 'default'), 'hex'),
        'usage', '{"input_uncached": 10, "output": 300}'::jsonb)
)) from second;
select is(u::text, '("(130,0)","(130,0)")', 'counts what was asked by this key alone') from pg_temp.used() as u;
select is(count(*), 0::bigint, 'as the books say too') from ops.invariant_violation as v;

-- Where something else may follow it does.
create temporary table fourth as select pg_temp.ask(900) as d;
select is(((d).status, pg_temp.keys(d)), ('routed'::text, null::jsonb), 'the house''s key is used') from fourth;
select is(trim_scale(r.held_usd), 990::numeric, 'at the house''s price') from ops.reservation as r
inner join fourth as f on r.api_request_hk = uuid_send((f.d).request_id::uuid);
select is(u::text, '("(130,0)","(130,0)")', 'and nothing is held of the key''s') from pg_temp.used() as u;
select is(
    array(select e.uses_key from admin.explain_route('caller', '{"max_output_tokens": 900}') as e), '{house}',
    'as explain_route says'
);
select is(
    array(select e.uses_key from admin.explain_route('caller', '{"max_output_tokens": 800}') as e), '{"own, then house"}',
    'of what fits, too'
);
select test.settle(d) from fourth;
select ok(r.is_same, 'it is decided again as it was') from fourth as f, admin.replay((f.d).request_id::uuid) as r;
select admin.sp_set_provider_key('maker', 'caller', 'spare', sha256('spare'), '\x03', 'k1', false);
update admin.provider_key set daily_spending_limit = 5 where customer = 'caller' and key_name = 'spare';
create temporary table fifth as select pg_temp.ask(300) as d;
select is(pg_temp.keys(d), jsonb_build_array(pg_temp.key()), 'of several keys those with room') from fifth;
update admin.provider_key set daily_spending_limit = 5000 where customer = 'caller' and key_name = 'spare';
create temporary table sixth as select pg_temp.ask(100) as d;
select is(pg_temp.keys(d), jsonb_build_array(pg_temp.key('spare'), pg_temp.key()), 'both where both have') from sixth;
select pg_temp.tell(d, jsonb_build_array(
    jsonb_build_object(
        'key', pg_temp.key('spare'), 'outcome', 'ERROR', 'class', 'rate_limited', 'output_bytes', 0,
        'usage', '{"input_uncached": 0, "output": 7}'::jsonb
    ),
    jsonb_build_object('key', pg_temp.key(), 'usage', '{"input_uncached": 0, "output": 11}'::jsonb)
)) from sixth;
select is(
    array(
        select (l.limit_name, l.period, trim_scale(l.spent), trim_scale(l.held))::text from ops.usage_limit as l
        where l.provider_key_hk is not null order by l.limit_name, l.period
    ),
    '{"(\"maker key own\",DAY,141,300)","(\"maker key own\",MONTH,141,300)","(\"maker key spare\",DAY,7,0)"}',
    'each is charged what its provider asked by it'
);
select is(count(*), 0::bigint, 'and the books hold') from ops.invariant_violation as v;

-- The settings change.
update admin.provider_key set daily_spending_limit = 100 where customer = 'caller' and key_name is distinct from 'spare';
select is(count(*), 0::bigint, 'a limit may be lowered below what is spent') from ops.budget_invariant as v;
select is((pg_temp.keys(pg_temp.ask(64))), null, 'and closes its key at once');
update admin.provider_key set daily_spending_limit = null where customer = 'caller' and key_name is distinct from 'spare';
select is(u.day, null, 'without one there is no row') from pg_temp.used() as u;
select is(u.month, '(141,300)', 'the month goes on counting') from pg_temp.used() as u;
delete from admin.provider_key where customer = 'caller' and key_name is distinct from 'spare';
select is(u::text, '(,)', 'a revoked key has none') from pg_temp.used() as u;
select test.settle(d) from fifth;
select is(count(*), 0::bigint, 'and what was under way is settled') from ops.invariant_violation as v;
select ops.fn_rebuild_hot_state();
select is(count(*), 1::bigint, 'the rest is had again from the vault') from ops.usage_limit as l;
select * from finish();
rollback;
