-- Mutants: the limit read of another tier; in-flight messages counted; a look kept for ever; age by enqueued_at.
begin;
select plan(10);
update ops.admission as a set longest_wait = s.longest_wait from test.admission as s where a.queue_name = s.queue_name;
delete from pgmq.q_premium; delete from pgmq.q_standard; delete from pgmq.q_basic;
create temporary table moment as select date_trunc('second', clock_timestamp()) as t;
create function test.refusal(p_queue text, p_after interval) returns text language sql as
$$select (gateway.fn_refuse_backlog(p_queue, m.t + p_after)).status from moment as m$$;
select is(test.refusal('basic', '0'), null, 'an empty queue takes anybody');
insert into pgmq.q_basic (vt, message) select m.t, '{}' from moment as m;
insert into pgmq.q_standard (vt, message) select m.t, '{}' from moment as m;
insert into pgmq.q_premium (vt, message) select m.t, '{}' from moment as m;
select is(test.refusal('basic', '1.9 s'), null, 'a wait within the limit is none to speak of');
select is(test.refusal('basic', '2.1 s'), 'overloaded', 'the lowest tier is refused first');
select is(test.refusal('standard', '2.1 s'), null, 'the next one later');
select is(test.refusal('premium', '9.9 s'), null, 'the best one');
select is(test.refusal('premium', '10.1 s'), 'overloaded', 'last');
update pgmq.q_basic as q set vt = m.t + interval '60 s', read_ct = 1 from moment as m;
select is(test.refusal('basic', '11 s'), null, 'what a worker has read waits no more');
update pgmq.q_standard as q set vt = m.t + interval '10 s', enqueued_at = m.t - interval '1 hour' from moment as m;
select is(test.refusal('standard', '12 s'), null, 'what was given back waits since then');
update ops.admission set longest_wait = '1 s' where queue_name = 'standard';
select is(test.refusal('standard', '12.1 s'), 'overloaded', 'the limit is a DBA''s to change');
select ok(
    (gateway.fn_refuse_backlog('standard', m.t + interval '12.1 s')).retry_after_ms between 1000 and 4000,
    'and says when to come back'
) from moment as m;
select * from finish();
rollback;
