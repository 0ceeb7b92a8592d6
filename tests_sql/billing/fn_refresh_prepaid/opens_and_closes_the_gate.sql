-- Mutants: an entry that does not move the limit, a limit that forgets what was charged, one that counts credits that are not good today.
begin;
select plan(36);
select test.make_offer('maker', 'model-a', 0, 1000000, '{"max_output_tokens": 1000}');
select test.make_customer('user', '{"markup_percent": 0}');
create function test.asked(p_tokens integer) returns gateway.route_decision language sql as $$
    select test.route(sha256('user/token'), jsonb_build_object('max_output_tokens', p_tokens));
$$;
create function test.room() returns numeric language sql as $$
    select trim_scale(l.amount - l.spent - l.held) from ops.usage_limit as l where l.usage_limit_hk = ops.fn_prepaid_limit_hk(util.hash_key('user'));
$$;
-- Before he pays ahead he uses something, and something is under way.
select test.settle(test.asked(3), '{"input_uncached": 0, "output": 3}');
create temporary table under_way as select test.asked(2) as d;
insert into admin.billing_profile (customer, is_prepaid) values ('user', true);
select is(test.room(), -5::numeric, 'what is charged and under way counts from the first moment');
select is(((d).status, (d).http_status), ('budget_exceeded'::text, 402), 'the next call is refused') from test.asked(1) as d;
select is((d).message, 'The prepaid credit of this customer has -3 USD left, and calls under way hold 2 of it; this call may need 1. '
    || 'Top it up, lower max_tokens, or wait until they are over.', 'and says what to do') from test.asked(1) as d;
select is(((d).detail::jsonb -> 'budget') - 'resets_at' - 'provider' - 'model',
    '{"limit": "prepaid credit", "scope": "customer", "period": "total", "unit": "usd", "needed": 1, "allowed": 0, "limit_usd": 0, "spent_usd": 3,
    "held_usd": 2, "needed_usd": 1}', 'with its figures') from test.asked(1) as d;
select admin.top_up('user', 10, 'wire 1');
select is(test.room(), 5::numeric, 'a top-up opens at once');
create temporary table first as select test.asked(5) as d;
select is((d).status, 'routed', 'for the next call') from first;
select is((d).status, 'budget_exceeded', 'and no further') from test.asked(1) as d;
select test.settle(d, '{"input_uncached": 0, "output": 2}') from under_way;
select test.settle(d, '{"input_uncached": 0, "output": 1}') from first;
select is(test.room(), 4::numeric, 'what was held and not used comes back');
select is((select (s.limit_name, s.scope, s.remaining) from business_vault.usage_limit_status as s where false), null, 'nobody sees it without a tenant');
select is(
    test.read_as('onevault_bi', 'test tenant', 'select concat_ws('' '', s.limit_name, s.scope, s.remaining) from business_vault.usage_limit_status as s'),
    'prepaid credit customer 4', 'the tenant sees it'
);
select is_empty('select u.* from admin.usage_limit as u', 'nobody edits it');
-- Credits that are not good today.
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from) values ('user', 'later', 'PREPAID', 50, current_date + 5);
select is(test.room(), 4::numeric, 'one that begins later is not counted');
insert into admin.credit (customer, credit, credit_kind, amount_usd) values ('user', 'gift', 'PROMOTION', 2);
select is(test.room(), 6::numeric, 'a promotion is');
delete from admin.credit where credit = 'gift';
select is(test.room(), 4::numeric, 'until it is taken back');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
values ('user', 'over', 'PREPAID', 50, current_date - 40, current_date);
select is(test.room(), 4::numeric, 'one that has expired is not');
update admin.credit set expires_on = current_date + 1 where credit = 'over';
select is(test.room(), 54::numeric, 'until it expires later');
update admin.credit set expires_on = current_date where credit = 'over';
select is(test.room(), 4::numeric, 'or earlier');
delete from admin.credit where credit in ('over', 'later');
-- Days that begin and end are the clock's.
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
values ('user', 'today', 'PREPAID', 3, current_date - 1, current_date + 1);
update ops.usage_limit as l set amount = 0 where l.usage_limit_hk = ops.fn_prepaid_limit_hk(util.hash_key('user'));
select ops.fn_write_off_credits();
select is(test.room(), 7::numeric, 'who has credits with days is brought to the day');
delete from admin.credit where credit = 'today';
-- What has expired still pays for its days, until they are invoiced.
select test.book_at('user', '2026-02-10 10:00Z', '{"customer_cost": 6, "provider_cost": 6, "gateway_markup": 0}', '{"provider_cost": 6}');
select ops.fn_rebuild_hot_state();
select is(test.room(), -2::numeric, 'six more are in the books');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
values ('user', 'old', 'PREPAID', 5, '2026-02-01', '2026-02-20');
select is(test.room(), 3::numeric, 'five of them are paid by a credit of those days');
insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from, expires_on)
values ('user', 'older', 'PROMOTION', 5, '2026-02-01', '2026-02-20');
select is(test.room(), 4::numeric, 'and the sixth, though more is left');
delete from admin.credit where credit in ('old', 'older');
select admin.top_up('user', 20, 'wire 2');
select is(test.room(), 18::numeric, '30 paid, 12 used');
-- Bills move nothing but what is new on them.
insert into admin.tax_rate (tax, valid_from, tax_percent) values ('vat', '2020-01-01', 10);
update admin.billing_profile set tax = 'vat';
select is(test.room(), 18::numeric, 'another profile changes nothing');
create temporary table january as
select test.book_at('user', '2026-01-10 10:00Z', '{"customer_cost": 10, "provider_cost": 10, "gateway_markup": 0}', '{"provider_cost": 10}') as hk;
select ops.fn_rebuild_hot_state();
select is(test.room(), 8::numeric, 'ten of January');
select gateway.sp_close_month('2026-01-01');
select is(test.room(), 7::numeric, 'are on an invoice, and so is their tax');
select is(test.balance_of('user', 'receivable'), 11.0000000000, 'which no credit of January paid');
select admin.record_payment(s.invoice_number, 11, 'wire 3') from gateway.invoice_s as s where s.load_end_date is null;
select is(test.room(), 18::numeric, 'so it is paid, and he has what he had');
-- A corrected price is no entry and no charge.
insert into gateway.charge_adjustment_s (
    customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost, delta_provider_cost, old_own_key_cost,
    new_own_key_cost, old_charge, new_charge, delta_charge, house_loss, attempt_costs, reason, rerate_run_id, record_source
)
select
    util.hash_key('user'), util.hash_key('test tenant'), j.hk, '2026-01-01', 10, 8, -2, 0, 0, 10, 8, -2, 0, '{}', 'wrong price', gen_random_uuid(), 'test'
from january as j;
select is(test.room(), 20::numeric, 'what was charged too much is his again');
-- Switched off and on.
update admin.billing_profile set is_prepaid = false;
select is(test.room(), null, 'who pays later has no such limit');
select is((d).status, 'routed', 'from the next call on') from test.asked(900) as d;
update admin.billing_profile set is_prepaid = true;
select is(test.room(), -880::numeric, 'with what is under way');
select is((d).status, 'budget_exceeded', 'again from the next call on') from test.asked(1) as d;
delete from admin.billing_profile;
select is(test.room(), null, 'nor one without a profile');
insert into admin.billing_profile (customer, is_prepaid) values ('user', true);
select is(test.room(), -880::numeric, 'holds count once');
select is(ops.fn_rebuild_hot_state(), 0, 'the books say the same');
select is_empty('select v.* from ops.invariant_violation as v', 'and nothing is wrong');
select * from finish();
rollback;
