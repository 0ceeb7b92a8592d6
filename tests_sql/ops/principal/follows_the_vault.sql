begin;
select plan(6);
select test.make_customer('changing', '{"cost_budget_daily": 1}');
select is(p.daily_budget_usd, 1.0000000000) from ops.principal as p where p.customer_bk = 'changing';
select test.make_customer('changing', '{"cost_budget_daily": 2}');
select is(p.daily_budget_usd, 2.0000000000, 'a changed budget is in force at once') from ops.principal as p where p.customer_bk = 'changing';
select test.make_tenant('test tenant', '{"markup_percent": 55}');
select is(p.markup_percent, 55.0000, 'so is the tenant''s markup') from ops.principal as p where p.customer_bk = 'changing';
select test.make_token('changing', 'token', '{"token_status": "REVOKED"}');
select is(p.token_status, 'REVOKED', 'and a revoked token') from ops.principal as p where p.customer_bk = 'changing';
select util.fn_close_satellite('gateway.customer_config_s', jsonb_build_object('customer_hk', util.hash_key('changing')));
select is(count(*)::integer, 0, 'a customer whose settings ended is nobody') from ops.principal as p where p.customer_bk = 'changing';
select is(
    (
        select count(*) from ops.principal as p
        full join ops.current_principal as c on p.token_hk = c.token_hk
        where to_jsonb(p) - 'token_is_limited' is distinct from to_jsonb(c)
    )::integer, 0, 'the table is what the vault says'
);
select * from finish();
rollback;
