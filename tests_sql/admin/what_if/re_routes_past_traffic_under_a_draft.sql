begin;
select plan(6);
select test.make_offer('maker', 'model-a', 10, 20, '{"quality_score": 90}');
select test.make_offer('rival', 'model-b', 1, 2, '{"quality_score": 40}');
select test.make_customer('caller', '{"markup_percent": 50}');
select test.make_customer('other', '{"markup_percent": 0}');
insert into admin.routing_rule (rule_name, quality_optimization) values ('best', true);
create temporary table made as
select to_jsonb(test.route(sha256(convert_to(c.who || '/token', 'UTF8')), jsonb_build_object('request_type', c.kind))) as d
from (values ('caller', 'chat'), ('caller', 'chat'), ('caller', 'report'), ('other', 'chat')) as c (who, kind);
select test.settle(test.decision(m.d), '{"input_uncached": 1000000, "output": 100000}') from made as m;
select results_eq(
    $$select w.customer, w.model_then, w.model_after, w.is_moved, w.requests from admin.what_if(now() - interval '1 day', now() + interval '1 day') as w$$,
    $$values ('caller', 'model-a', 'model-a', false, 3::bigint), ('other', 'model-a', 'model-a', false, 1::bigint)$$,
    'by the rules of now nobody moves'
);
insert into admin.routing_rule (rule_name, rule_priority, conditions) values ('chats are cheap', 1, '{"request_type": "chat"}');
create temporary table told as select * from admin.what_if(now() - interval '1 day', now() + interval '1 day');
select results_eq(
    $$select t.customer, t.model_after, t.rule_after, t.requests from told as t where t.is_moved order by 1$$,
    $$values ('caller', 'model-b', 'chats are cheap', 2::bigint), ('other', 'model-b', 'chats are cheap', 1::bigint)$$, 'those move whom the draft moves'
);
select is(
    (select (t.cost_after_usd, t.quality_then, t.quality_after)::text from told as t where t.is_moved and t.customer = 'caller'),
    -- Two calls of 1,000,000 tokens in at 1 USD and 100,000 out at 2, and 50 % on top.
    '(3.6,90.00,40.00)', 'what they would cost to the last token, and be worth'
);
select is((select sum(t.requests) from told as t), 4::numeric, 'no call is lost or counted twice');
insert into admin.routing_rule (rule_name, rule_priority, conditions, deny_reason) values ('none', 0, '{"customer": "other"}', 'No.');
select is(
    (select (w.provider_after, w.cost_after_usd, w.refused_because like '%No.%')::text
        from admin.what_if(now() - interval '1 day', now() + interval '1 day') as w where w.customer = 'other'),
    '(,,t)', 'who would be refused is said'
);
delete from admin.routing_rule where rule_name in ('none', 'chats are cheap');
select is_empty($$select * from admin.what_if(now() - interval '1 day', now() + interval '1 day') as w where w.is_moved$$, 'and without it nobody moves again');
select * from finish();
rollback;
