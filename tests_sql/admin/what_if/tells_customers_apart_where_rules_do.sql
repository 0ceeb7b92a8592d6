begin;
select plan(11);
select test.make_offer('maker', 'model-a', 1, 2), test.make_offer('rival', 'model-b', 10, 20);
select test.make_provider('rival', '{"compliance_levels": ["EU"]}');
select test.make_tenant('other tenant'), test.make_tenant('test tenant');
select test.make_customer('one'), test.make_customer('two'), test.make_customer('far', '{}', 'other tenant');
select test.settle(test.route(sha256(convert_to(n.name || '/token', 'UTF8')))) from unnest('{one,two,far,one}'::text[]) as n (name);
-- Where calls go that are alike in all but who makes them.
create temporary view told as
select string_agg(w.customer || ' ' || w.model_after || ' ' || w.requests, ', ' order by w.customer) as went
from admin.what_if(now() - interval '1 day', now() + interval '1 day') as w;
select is((select count(distinct f.profile) from admin.fn_list_profiles() as f where (f.principal).customer_bk in ('one', 'two', 'far')),
    1::bigint, 'to no rule they differ');
select is(t.went, 'far model-a 1, one model-a 2, two model-a 1', 'and are decided alike') from told as t;

create function pg_temp.with_rule(p_rule jsonb) returns text language plpgsql as $$
declare
    v_went text;
begin
    insert into admin.routing_rule (rule_name, target_model, conditions, tenant, customer)
    values ('told apart', 'model-b', coalesce(p_rule -> 'conditions', '{}'), p_rule ->> 'tenant', p_rule ->> 'customer');
    v_went := (select t.went from told as t);
    delete from admin.routing_rule where rule_name = 'told apart';
    return v_went;
end
$$;
select is(pg_temp.with_rule('{"conditions": {"customer": "one"}}'), 'far model-a 1, one model-b 2, two model-a 1', 'a name');
select is(pg_temp.with_rule('{"conditions": {"customer": ["two", "far"]}}'), 'far model-b 1, one model-a 2, two model-b 1', 'a list of names');
select is(pg_temp.with_rule('{"conditions": {"not": {"customer": "two"}}}'), 'far model-b 1, one model-b 2, two model-a 1', 'all but one');
select is(pg_temp.with_rule('{"conditions": {"customer": {"starts_with": "t"}}}'), 'far model-a 1, one model-a 2, two model-b 1', 'a part of a name');
select is(pg_temp.with_rule('{"conditions": {"tenant": "other tenant"}}'), 'far model-b 1, one model-a 2, two model-a 1', 'a tenant');
select is(pg_temp.with_rule('{"customer": "two"}'), 'far model-a 1, one model-a 2, two model-b 1', 'a rule of a customer''s own');
select is(pg_temp.with_rule('{"tenant": "test tenant"}'), 'far model-a 1, one model-b 2, two model-b 1', 'a rule of a tenant''s own');
update admin.customer set cost_budget_daily = 0.00001 where customer = 'two';
select is(pg_temp.with_rule('{"conditions": {"budget_used_percent": {"gte": 50}}}'), 'far model-a 1, one model-a 2, two model-b 1', 'a budget');
update admin.customer set compliance = '{EU}' where customer = 'two';
select is(t.went, 'far model-a 1, one model-a 2, two model-b 1', 'and what one must comply with') from told as t;
select * from finish();
rollback;
