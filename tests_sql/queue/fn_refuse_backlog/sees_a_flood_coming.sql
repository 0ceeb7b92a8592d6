-- Mutants: by age alone; a pace that counts idle time; the number of waiting alone; no pace but that of four.
begin;
select plan(9);
update ops.admission as a set longest_wait = s.longest_wait from test.admission as s where a.queue_name = s.queue_name;
delete from pgmq.q_premium; delete from pgmq.q_standard; delete from pgmq.q_basic;
create temporary table moment as select date_trunc('second', clock_timestamp()) as t;
create function test.refusal(p_after interval) returns text language sql as
$$select (gateway.fn_refuse_backlog('basic', m.t + p_after)).status from moment as m$$;
create function test.come(p_count integer, p_after interval) returns void language sql as
$$insert into pgmq.q_basic (vt, message) select m.t + p_after, '{}' from moment as m, generate_series(1, p_count)$$;
create function test.serve(p_count integer) returns void language sql as
$$delete from pgmq.q_basic as q where q.msg_id in (select f.msg_id from pgmq.q_basic as f order by f.msg_id limit p_count)$$;

select test.refusal('-10 s');
select test.come(10, '-10 s'), test.serve(10);
select test.come(400, '0');
select is(test.refusal('0.06 s'), null, 'many at once are no flood yet');
select test.serve(20);
select is(test.refusal('0.2 s'), 'overloaded', '20 in 0.14 s: 380 would take over 2 s, though none has waited that long');
select is(test.refusal('0.23 s'), 'overloaded', 'which the session knows for a moment without looking');
select test.serve(340);
select is(test.refusal('0.3 s'), null, 'what a quick worker gets through in time is none');
select test.serve(40);
select is(test.refusal('1 s'), null, 'empty again');
select test.come(200, '30 s');
select is(test.refusal('30.01 s'), null, 'nor is a burst after a quiet time');
select test.serve(3);
select is(test.refusal('30.2 s'), null, 'three served tell no pace yet');
select is(test.refusal('31.1 s'), 'overloaded', 'after a second they do');
select test.serve(4);
select is(test.refusal('31.2 s'), 'overloaded', 'a slow worker is known by its own pace');
select * from finish();
rollback;
