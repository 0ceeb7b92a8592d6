begin;
select plan(37);
select test.make_offer('maker', 'model-a', 2, 10);
select test.make_price(util.hash_key('maker', 'model-a'), 'cache_read', 0.2);
select test.make_price(util.hash_key('maker', 'model-a'), 'cache_write', 2.5);
select test.make_price(util.hash_key('maker', 'model-a'), 'search', 10000);
select test.make_customer('buyer', '{"markup_percent": 20}');
create temporary table called (name text, id uuid, d jsonb);
-- A call, booked; gives what it was charged, and by what.
create function pg_temp.charge(p_name text, p_usage jsonb, p_request jsonb default '{}', p_attempt jsonb default '{}') returns text
language plpgsql as $$
declare
    v_decision gateway.route_decision := test.route(sha256('buyer/token'), '{
        "model": "maker/model-a", "max_output_tokens": 500, "prompt_bytes": 1952
    }'::jsonb || p_request);
    v_receipt jsonb;
begin
    if v_decision.status <> 'routed' then
        return v_decision.status;
    end if;
    perform gateway.sp_read_messages(100, 60);
    v_receipt := gateway.sp_record_result(test.make_result(
        v_decision, jsonb_build_array(test.one_attempt(v_decision, p_usage, p_attempt)),
        jsonb_build_object('status', coalesce(p_attempt ->> 'outcome', 'SUCCESS'), 'class', p_attempt ->> 'class')
    ));
    insert into called values (p_name, v_decision.request_id::uuid, to_jsonb(v_decision));
    return v_receipt #>> '{cost,customer}';
end
$$;
create function pg_temp.terms_of(p_name text) returns jsonb language sql as $$
    select s.charge_terms from gateway.api_request_s as s, called as c where c.name = p_name and s.api_request_hk = uuid_send(c.id);
$$;
create function pg_temp.usage(p_input integer, p_cached integer, p_written integer, p_output integer) returns jsonb language sql
return jsonb_build_object('input_uncached', p_input, 'cache_read', p_cached, 'cache_write', p_written, 'output', p_output);

-- No rule, and rules for others: nothing is otherwise.
create temporary table before as select pg_temp.charge('before', pg_temp.usage(100, 50, 10, 20)) as cost;
select is(b.cost, '0.000522', '(200 + 10 + 25 + 200) and 20 %') from before as b;
insert into admin.charge_rule (charge_rule, tenant, markup_percent) values ('others', 'default', 90);
insert into admin.charge_rule (charge_rule, model, meter, usd_per_million) values ('pictures', 'model-a', 'image', 90000);
select test.make_offer('maker', 'model-b');
insert into admin.charge_rule (charge_rule, customer, model, markup_percent) values ('another model', 'buyer', 'model-b', 90);
select is(pg_temp.charge('after', pg_temp.usage(100, 50, 10, 20)), '0.000522', 'what is about something else changes no charge');
select results_eq(
    $$select to_jsonb(s) - '{api_request_hk,request_id,request_timestamp,load_date,hash_diff,decision,request_latency_ms,first_byte_ms}'::text[]
        from gateway.api_request_s as s, called as c where c.name = 'after' and s.api_request_hk = uuid_send(c.id)$$,
    $$select to_jsonb(s) - '{api_request_hk,request_id,request_timestamp,load_date,hash_diff,decision,request_latency_ms,first_byte_ms}'::text[]
        from gateway.api_request_s as s, called as c where c.name = 'before' and s.api_request_hk = uuid_send(c.id)$$,
    'nor anything that is booked'
);
select is(pg_temp.terms_of('after'), null, 'and no terms are kept');
delete from admin.charge_rule where true;

insert into admin.charge_rule (charge_rule, customer, model, markup_percent) values ('rebate', 'buyer', 'model-a', -12.5);
select is(pg_temp.charge('rebate', pg_temp.usage(100, 50, 10, 20)), '0.000380625', 'below what the provider asks: 435 less an eighth');
select is(pg_temp.terms_of('rebate'), jsonb_build_object(
    'rules', jsonb_build_array(jsonb_build_object('rule', 'rebate', 'markup_percent', -12.5, 'load_date', (
        select h.load_date from admin.charge_rule_history as h where h.charge_rule = 'rebate'
    ))),
    'usd_per_million', '{"input": 1.75, "cache_read": 0.175, "cache_write": 2.1875, "output": 8.75}'::jsonb
), 'the rule in its version, and each price');
select is(
    (s.markup_percent, s.gateway_markup, s.provider_cost), (20.0000, -0.0000543750, 0.0004350000),
    'the plain markup is told as it is, and what is missing is the house''s'
) from gateway.api_request_s as s, called as c where c.name = 'rebate' and s.api_request_hk = uuid_send(c.id);

insert into admin.charge_rule (charge_rule, customer, model, meter, usd_per_million) values ('list in', 'buyer', 'model-a', 'input', 3);
insert into admin.charge_rule (charge_rule, customer, model, meter, usd_per_million) values ('list out', 'buyer', 'model-a', 'output', 0.0000000001);
select is(pg_temp.charge('list', pg_temp.usage(100, 50, 10, 20)), '0.000330625', '300 by the list, 8.75 and 21.875 by percent, next to nothing');
select is(
    array(select r ->> 'rule' from jsonb_array_elements(pg_temp.terms_of('list') -> 'rules') as r), '{list out,list in,rebate}', 'all that had a say'
);
select is(pg_temp.charge('no cache', pg_temp.usage(100, 0, 0, 20)), '0.0003', 'a call of nothing but listed meters');
select is(
    array(select r ->> 'rule' from jsonb_array_elements(pg_temp.terms_of('no cache') -> 'rules') as r), '{list out,list in}', 'names no other'
);
update admin.charge_rule set passes_cache_savings = false where charge_rule = 'list in';
select is(pg_temp.charge('kept', pg_temp.usage(100, 50, 10, 20)), '0.000471875', 'what came out of the cache is charged at 3, what was written is not');
select is(pg_temp.terms_of('kept') #> '{usd_per_million,cache_read}', '3', 'and told so');
insert into admin.charge_rule (charge_rule, customer, model, meter, usd_per_million) values ('list cache', 'buyer', 'model-a', 'cache_read', 1);
select is(pg_temp.charge('own', pg_temp.usage(100, 50, 10, 20)), '0.000371875', 'a price of its own comes before');
delete from admin.charge_rule where charge_rule like 'list %';
update admin.charge_rule set passes_cache_savings = false, markup_percent = 50 where charge_rule = 'rebate';
select is(pg_temp.charge('all kept', pg_temp.usage(100, 50, 10, 20)), '0.0007875', '150 at 2, 10 at 2.5, 20 at 10, and half of it');

update admin.charge_rule set passes_cache_savings = true, markup_percent = 0, minimum_usd = 0.001 where charge_rule = 'rebate';
select is(pg_temp.charge('least', pg_temp.usage(100, 50, 10, 20)), '0.001', 'what a request costs at least');
select is(pg_temp.terms_of('least') -> 'minimum_is_charged', 'true', 'and is told so');
select is(pg_temp.charge('more', pg_temp.usage(0, 0, 0, 101)), '0.00101', 'above it counts what was used');
select is(pg_temp.terms_of('more') -> 'minimum_is_charged', 'false', 'and is told so');
select is(pg_temp.charge('just', pg_temp.usage(0, 0, 0, 100)), '0.001', 'at it as well');
select is(pg_temp.terms_of('just') -> 'minimum_is_charged', 'false', 'which is no minimum');
select is(
    pg_temp.charge('failed', null, '{}', '{"outcome": "ERROR", "class": "server_error", "output_bytes": 0}'), '0', 'what gave nothing costs nothing'
);
select is(pg_temp.terms_of('failed'), null, 'by no rule');
select is(pg_temp.charge('searched', pg_temp.usage(100, 0, 0, 0) || '{"other": {"search": 2}}', '{"searches": 3}'), '0.0202', 'searches by percent');
insert into admin.charge_rule (charge_rule, customer, meter, usd_per_million) values ('search', 'buyer', 'search', 4000);
select is(
    pg_temp.charge('listed', pg_temp.usage(100, 0, 0, 0) || '{"other": {"search": 2}}', '{"searches": 3}'), '0.0202',
    'less than the model''s own rule is about'
);
update admin.charge_rule set model = 'model-a' where charge_rule = 'search';
select is(pg_temp.charge('both', pg_temp.usage(100, 0, 0, 0) || '{"other": {"search": 2}}', '{"searches": 3}'), '0.0082', 'searches by the list');

-- By volume: what was charged this month, and no call under way.
delete from admin.charge_rule where true;
insert into admin.charge_rule (charge_rule, customer, markup_percent, from_month_usd) values ('small', 'buyer', 100, 0), ('large', 'buyer', 0, 1);
update ops.scope_state set month_spent_usd = 0.9999999999, day_spent_usd = 0, month_held_usd = 100 where scope_hk = util.hash_key('buyer');
select is(pg_temp.charge('below', pg_temp.usage(100, 0, 0, 0)), '0.0004', 'a cent below');
update ops.scope_state set month_spent_usd = 1 where scope_hk = util.hash_key('buyer');
select is(pg_temp.charge('reached', pg_temp.usage(100, 0, 0, 0)), '0.0002', 'and reached');
select is(
    (select s.decision #>> '{seen,month_usd}' from gateway.api_request_s as s, called as c where c.name = 'below' and s.api_request_hk = uuid_send(c.id)),
    '0.9999999999', 'what was seen is kept'
);
update ops.scope_state set month_number = month_number - 1 where scope_hk = util.hash_key('buyer');
select is(pg_temp.charge('next', pg_temp.usage(100, 0, 0, 0)), '0.0004', 'a month begins anew');
update admin.charge_rule set markup_percent = 1000 where charge_rule = 'small';
create temporary table routed as select test.route(sha256('buyer/token'), '{"model": "maker/model-a", "max_output_tokens": 500}') as d;
delete from admin.charge_rule where true;
select is(test.settle(r.d, pg_temp.usage(100, 0, 0, 0)) #>> '{cost,customer}', '0.0022', 'a call keeps the prices that it was routed with') from routed as r;

select is(
    (select array_agg(distinct p.is_same) from called as c cross join lateral admin.replay(c.id) as p), '{t}', 'each decision is made again alike'
);
select matches(
    (select string_agg(w.sentence, ' ') from called as c cross join lateral admin.why(c.id) as w where c.name = 'kept'),
    '1\. maker/model-a: .*at most 0.0030000001 USD, .*charged by ''list out'': output at 0.0000000001 USD per million; '
    '''list in'': input at 3 USD per million, cache savings kept; ''rebate'': -12.5 %',
    'and told by what it was charged then'
);
select is(
    (select r.charged_by from business_vault.request_detail as r, called as c where c.name = 'least' and r.request_id = c.id),
    '''rebate'': +0 %, at least 0.001 USD', 'as BI reads it'
);
select is_empty($$select s.customer_cost from gateway.api_request_s as s where s.house_loss > 0$$, 'nothing was charged above what was held');
select is_empty($$select u.* from ops.unbalanced_request as u$$, 'and the books balance');
select is((select count(p.charge_rules) from ops.principal as p), 0::bigint, 'nobody has a rule any more');
select * from finish();
rollback;
