begin;
select plan(7);
select test.make_offer('maker', 'model-a');
select test.make_customer('user');
select test.book_at('user', now() - interval '3 hours'), test.book_at('user', now() - interval '3 hours');
select test.settle(test.route(sha256('user/token')));
create temporary view seen as
select sum(u.request_count) as requests, sum(u.customer_cost_usd) as cost_usd, count(*) as rows
from business_vault.usage_hourly as u where u.customer = 'user';
select is(s.requests, 3::numeric, 'before it is rolled up it is seen') from seen as s;
select test.roll_up();
select is(s.requests, 3::numeric, 'and not twice afterwards') from seen as s;
select is((select sum(u.request_count) from ops.usage_hourly as u), 3::numeric, 'since now it is rolled up');
select test.roll_up();
select is((select sum(u.request_count) from ops.usage_hourly as u), 3::numeric, 'a second run adds nothing');
select test.settle(test.route(sha256('user/token')));
select is(s.requests, 4::numeric, 'a call after it is seen at once') from seen as s;
select is(s.rows, 2::bigint, 'in the row of its hour') from seen as s;
select is(
    s.cost_usd, (select sum(r.customer_cost) from gateway.api_request_s as r), 'and the sums are those of the books'
) from seen as s;
select * from finish();
rollback;
