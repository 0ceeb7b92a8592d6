-- A queue a tier. No index on vt: reading moves vt, and without that index each read is a HOT update. The tables
-- are new, so nobody waits for the drop.
set local role onevault_owner;

select pgmq.create('premium');
select pgmq.create('standard');
select pgmq.create('basic');

-- squawk-ignore require-concurrent-index-deletion
drop index pgmq.q_premium_vt_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index pgmq.q_standard_vt_idx;
-- squawk-ignore require-concurrent-index-deletion
drop index pgmq.q_basic_vt_idx;

alter table pgmq.q_premium set (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
alter table pgmq.q_standard set (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);
alter table pgmq.q_basic set (
    fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
    autovacuum_vacuum_cost_delay = 0
);

-- Monitoring needs no look into queues.
revoke all on all tables in schema pgmq from pg_monitor;
revoke all on all sequences in schema pgmq from pg_monitor;
revoke all on schema pgmq from pg_monitor;
alter default privileges in schema pgmq revoke all on tables from pg_monitor;
alter default privileges in schema pgmq revoke all on sequences from pg_monitor;
