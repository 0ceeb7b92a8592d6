begin;
select plan(6);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('customer ' || n) from generate_series(1, 64) as n;
select test.make_customer('customer 23', '{"cost_budget_daily": 0}');
create temporary table answers as
select a.* from gateway.sp_route_requests(
    (
        select jsonb_agg(jsonb_build_object(
            'digest', case n when 7 then repeat('00', 32)
                else encode(sha256(convert_to(format('customer %s/token', n), 'UTF8')), 'hex') end,
            'capability', 'chat', 'prompt_bytes', 10, 'messages', 1, 'max_output_tokens', 1,
            'max_cost', case n when 42 then 'a lot' end
        ) order by n) from generate_series(1, 64) as n
    ), 'unix:/test', false
) as a;
select is(count(*)::integer, 64, 'an answer each') from answers;
select is(a.status, 'invalid_token', 'the unauthorised one') from answers as a where a.ordinal = 7;
select is(a.status, 'budget_exceeded', 'the one over budget') from answers as a where a.ordinal = 23;
select is(a.status, 'invalid_request', 'the malformed one') from answers as a where a.ordinal = 42;
select is(count(*)::integer, 61, 'the other 61 are routed') from answers as a where a.status = 'routed';
select is(count(distinct r.customer_hk)::integer, 61, 'once each') from ops.reservation as r
inner join gateway.customer_h as h on r.customer_hk = h.customer_hk
where h.customer_bk like 'customer %';
select * from finish();
rollback;
