begin;
select plan(7);
select ok(test.plan_as('onevault_owner', s.statement) !~ '(InitPlan|SubPlan|Filter)', s.what)
from (values
    ('insert into gateway.api_request_h select * from gateway.api_request_h limit 0', 'a hub row'),
    ('insert into gateway.api_request_s default values', 'a satellite row'),
    ('insert into ops.reservation default values', 'a reservation'),
    ($$delete from ops.reservation where api_request_hk = '\x01' and customer_hk = '\x02'$$, 'its end'),
    ($$update ops.scope_state set day_spent_usd = 1 where scope_hk = '\x01'$$, 'a budget'),
    ($$select * from ops.principal where token_digest = '\x01'$$, 'a token')
) as s (statement, what);
select ok(
    test.plan_as('onevault_bi', 'select b.scope from business_vault.budget_status as b') ~ '(InitPlan|SubPlan|Filter)',
    'while BI''s plan is full of it'
);
select * from finish();
rollback;
