begin;
select plan(7);
select test.make_offer('maker', 'model-a', 0, 1000000);
select test.make_customer('kept', '{"markup_percent": 0}');
select test.settle(test.route(sha256('kept/token'), '{"max_output_tokens": 9}'), '{"input_uncached": 0, "output": 3}');
select test.route(sha256('kept/token'), '{"max_output_tokens": 2}');
select is(ops.fn_rebuild_hot_state(), 0, 'the books agree with what is kept');
update ops.scope_state set day_spent_usd = 4, day_held_usd = 0 where scope_hk = util.hash_key('kept');
select is(ops.fn_rebuild_hot_state(), 1, 'what did not is told, and set right');
select is(ops.fn_rebuild_hot_state(), 0, 'once');
create temporary table before as select s.* from ops.scope_state as s where s.scope_hk = util.hash_key('kept');
delete from ops.principal; delete from ops.offer; delete from ops.rule; delete from ops.scope_state;
select ops.fn_rebuild_hot_state();
select is(
    (s.day_spent_usd, s.day_held_usd, s.month_spent_usd, s.month_held_usd, s.day_number, s.month_number),
    (b.day_spent_usd, b.day_held_usd, b.month_spent_usd, b.month_held_usd, b.day_number, b.month_number),
    'spent and held are as they were'
) from ops.scope_state as s, before as b where s.scope_hk = b.scope_hk;
select is((test.scope_of('kept')).day_spent_usd, 3.0000000000, 'which is what the vault tells');
select is((test.scope_of('kept')).day_held_usd, 2.0000000000, 'and what is under way');
select is((test.route(sha256('kept/token'))).status, 'routed', 'and the road is open');
select * from finish();
rollback;
