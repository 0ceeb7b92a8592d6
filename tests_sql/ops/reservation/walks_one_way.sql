begin;
select plan(6);
select test.make_offer('maker', 'model-a');
select test.make_customer('walker');
select test.route(sha256('walker/token'));
select throws_ok(
    $$update ops.reservation set request_state = 'streaming', dispatch_count = 1 where customer_hk = util.hash_key('walker')$$,
    'VG409', 'A request that is reserved cannot become streaming', 'no output before a worker has it'
);
select throws_ok($$update ops.reservation set request_state = 'settled' where customer_hk = util.hash_key('walker')$$,
    'VG409', null, 'an end is no state of a reservation');
select throws_ok($$update ops.reservation set dispatch_count = 1 where customer_hk = util.hash_key('walker')$$, '23514', null,
    'reserved means that nobody had it');
select lives_ok(
    $$update ops.reservation set request_state = 'dispatched', dispatch_count = 1 where customer_hk = util.hash_key('walker')$$,
    'handed out'
);
select lives_ok(
    $$update ops.reservation set request_state = 'streaming', told_output_bytes = 1 where customer_hk = util.hash_key('walker')$$,
    'output flows'
);
select throws_ok(
    $$update ops.reservation set request_state = 'dispatched', told_output_bytes = 0 where customer_hk = util.hash_key('walker')$$,
    'VG409', null, 'what flowed cannot be taken back'
);
select * from finish();
rollback;
