-- Mutant: strict order when a worker asks for one at a time, as a full one does.
begin;
select plan(4);
delete from pgmq.q_premium; delete from pgmq.q_standard; delete from pgmq.q_basic;
insert into pgmq.q_premium (vt, message) select clock_timestamp(), '{}' from generate_series(1, 300);
insert into pgmq.q_standard (vt, message) select clock_timestamp(), '{}' from generate_series(1, 300);
insert into pgmq.q_basic (vt, message) select clock_timestamp(), '{}' from generate_series(1, 300);
create temporary table reads as select r.* from generate_series(1, 300) as n, lateral gateway.sp_read_messages(1 + n * 0, 60) as r;
select is(count(*)::integer, 300, 'one each time') from reads;
select ok(count(*) filter (where r.queue = 'premium') > 150, 'premium mostly') from reads as r;
select ok(count(*) filter (where r.queue = 'standard') > 10, 'standard now and then') from reads as r;
select ok(count(*) filter (where r.queue = 'basic') > 3, 'basic too') from reads as r;
select * from finish();
rollback;
