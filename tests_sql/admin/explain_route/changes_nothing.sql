begin;
select plan(4);
select test.make_offer('maker', 'model-a', 1, 1);
select test.make_customer('caller', '{"cost_budget_daily": 1}');
create temporary table before as select s::text as state from ops.scope_state as s where s.customer_hk = util.hash_key('caller');
select count(*) from admin.explain_route('caller', '{"max_output_tokens": 100}');
select is((test.scope_of('caller'))::text, (select state from before), 'no budget and no rate limit is used');
select is_empty($$select from ops.reservation as r where r.customer_hk = util.hash_key('caller')$$, 'nothing is reserved');
select is_empty($$select from gateway.api_request_h as r where r.customer_hk = util.hash_key('caller')$$, 'nothing is written');
select is((select p.provolatile::text from pg_catalog.pg_proc as p
    where p.oid = 'admin.explain_route(text, jsonb)'::regprocedure), 's', 'it could not write if it wanted to');
select * from finish();
rollback;
