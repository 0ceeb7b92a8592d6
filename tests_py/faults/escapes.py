"""Statements by which a role would leave its room. Each must be denied to each role of a service and of BI."""

from __future__ import annotations

# Files, programs and other servers.
OUTSIDE = """
copy (select 1) to program 'true'
copy business_vault.usage_daily to '/tmp/onevault-escape'
copy (select 1) to '/tmp/onevault-escape'
select pg_read_file('PG_VERSION')
select pg_read_binary_file('postgresql.conf')
select pg_ls_dir('.')
select pg_stat_file('PG_VERSION')
select pg_ls_waldir()
select pg_ls_logdir()
select pg_ls_tmpdir()
select pg_current_logfile()
select lo_import('/etc/hostname')
select lo_export(1, '/tmp/onevault-escape')
create extension dblink
create extension postgres_fdw
create extension file_fdw
create extension vector
create foreign data wrapper nothing
load 'plpgsql'
create subscription elsewhere connection 'host=127.0.0.1' publication p with (connect = false)
create publication everything for all tables
create tablespace elsewhere location '/tmp'
"""

# Being somebody else, or more.
ROLES = """
set role onevault_owner
set role onevault_reader
set role onevault_dba
set role postgres
set session authorization postgres
set session authorization onevault_owner
create role onevault_escape superuser
alter role current_user superuser
alter role current_user bypassrls
alter role onevault_owner login
alter role onevault_dba set search_path = public
grant onevault_owner to current_user
grant onevault_dba to current_user
grant pg_monitor to current_user
grant select on gateway.token_s to current_user
grant usage on schema ops to public
alter default privileges for role onevault_owner grant execute on functions to public
reassign owned by onevault_owner to current_user
drop owned by onevault_owner
"""

# Settings that would open something, or show what passes by.
SETTINGS = """
alter system set fsync = off
alter database :database set row_security = off
set session_replication_role = replica
set log_statement = 'all'
set log_min_error_statement = 'error'
set session_preload_libraries = 'auto_explain'
set allow_system_table_mods = on
set temp_tablespaces = 'pg_global'
select pg_reload_conf()
select set_config('log_parameter_max_length', '-1', false)
"""

# Making and changing things.
THINGS = """
create temporary table t (a integer)
create temporary view v as select 1 as a
create temporary sequence s
select 1 as a into temporary t
create table public.t (a integer)
create table business_vault.t (a integer)
create table gateway.t (a integer)
create schema onevault_escape
create view business_vault.escape as select 1 as a
create or replace view business_vault.usage_daily as select 1 as a
create function business_vault.escape() returns integer language sql as 'select 1'
create or replace function util.fn_sees_all_tenants() returns boolean language sql as 'select true'
create function public.escape() returns integer language internal as 'int4pl'
create type public.escape as (a integer)
create operator public.=# (function = int4pl, leftarg = integer, rightarg = integer)
create cast (text as integer) with inout as implicit
create event trigger escape on ddl_command_start execute function pg_catalog.suppress_redundant_updates_trigger()
create trigger escape before insert on gateway.token_s execute function suppress_redundant_updates_trigger()
create policy escape on gateway.api_request_s using (true)
alter policy tenant_sees_own on gateway.api_request_s using (true)
alter table gateway.api_request_s disable row level security
alter table gateway.api_request_s no force row level security
alter view business_vault.request_detail owner to current_user
alter view business_vault.request_detail set (security_invoker = true)
drop view business_vault.request_detail
alter function util.fn_current_tenant() reset all
comment on view business_vault.request_detail is 'mine'
create database onevault_escape
drop database postgres
truncate gateway.api_request_s
checkpoint
do $$ begin perform 1; end $$
"""

# Reading and writing what is somebody else's.
ROWS = """
select * from gateway.api_request_s
select * from gateway.token_s
select * from gateway.customer_provider_keys_s
select * from gateway.ai_provider_key_s
select * from auth.tenant_role
select * from ops.principal
select * from ops.reservation
select * from pgmq.q_standard
select * from pgmq.meta
select * from pg_authid
select * from pg_shadow
select * from pg_statistic
select * from pg_user_mapping
select * from pg_hba_file_rules
select * from pg_file_settings
select * from pg_largeobject
select * from pg_shmem_allocations
select * from pg_backend_memory_contexts
select * from pg_replication_origin_status
select subconninfo from pg_subscription
insert into gateway.api_request_h default values
update gateway.customer_h set customer_bk = 'mine'
delete from gateway.token_s
select * from business_vault.request_detail for update
begin; lock table gateway.customer_h in access exclusive mode
begin; lock table business_vault.request_detail in access exclusive mode
"""

# Functions: the house's own that are no doors, and those of PostgreSQL that reach beyond the session.
FUNCTIONS = """
select util.fn_bound_tenants('onevault_bi', 'onevault_bi')
select util.fn_load_hub('auth.tenant_h', '\\x00', 'escape', 'escape')
select util.fn_close_satellite('gateway.token_s', '{}')
select gateway.fn_book_result('{}')
select gateway.fn_refuse('x', 1, 'x')
select ops.fn_rebuild_hot_state()
select ops.fn_keep_partitions()
select admin.sp_issue_token('x', '\\x00', 'x', '\\x00')
select admin.restore_customer('x')
select pgmq.send('standard', '{}')
select pgmq.read('standard', 1, 1)
select pgmq.drop_queue('standard')
select pg_advisory_lock(1)
select pg_advisory_lock(1, 1)
select pg_advisory_lock_shared(1)
select pg_advisory_xact_lock(1)
select pg_advisory_xact_lock_shared(1, 1)
select pg_try_advisory_lock(1)
select pg_try_advisory_xact_lock_shared(1)
select lo_create(0)
select lo_creat(-1)
select lo_from_bytea(0, '\\x00')
select lo_open(1, 131072)
select lo_put(1, 0, '\\x00')
select pg_logical_emit_message(false, 'escape', 'escape')
select pg_logical_emit_message(false, 'escape', '\\x00'::bytea)
select pg_terminate_backend(:other)
select pg_cancel_backend(:other)
select pg_log_backend_memory_contexts(:other)
select pg_rotate_logfile()
select pg_switch_wal()
select pg_create_restore_point('escape')
select pg_create_physical_replication_slot('escape')
select pg_create_logical_replication_slot('escape', 'pgoutput')
select pg_replication_origin_create('escape')
select pg_backup_start('escape')
select pg_promote()
select pg_stat_reset()
select pg_stat_reset_shared('wal')
select pg_import_system_collations('pg_catalog')
"""

ESCAPES = [line for part in (OUTSIDE, ROLES, SETTINGS, THINGS, ROWS, FUNCTIONS) for line in part.splitlines() if line]
