-- Tests of the rulebook are facts of it: they have history, and what breaks one is not committed.
set local role onevault_owner;

create table gateway.routing_rule_test_h (
    routing_rule_test_hk bytea primary key,
    routing_rule_test_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.routing_rule_test_s (
    routing_rule_test_hk bytea not null references gateway.routing_rule_test_h (routing_rule_test_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    test_name varchar(200) not null,
    tenant_hk bytea not null,
    customer_hk bytea not null,
    request jsonb not null default '{}',
    expected_provider varchar(100),
    expected_model varchar(255),
    expected_rule varchar(200),
    is_denied boolean not null default false,
    is_active boolean not null default true,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (routing_rule_test_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint request_is_an_object check (jsonb_typeof(request) = 'object'),
    constraint test_expects_something check (
        is_denied <> (num_nonnulls(expected_provider, expected_model, expected_rule) > 0)
    )
);

create unique index routing_rule_test_s_has_one_current_row on gateway.routing_rule_test_s (routing_rule_test_hk)
where load_end_date is null;

alter table gateway.routing_rule_test_s enable row level security, force row level security;
create policy owner_sees_all on gateway.routing_rule_test_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.routing_rule_test_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

comment on table gateway.routing_rule_test_h is 'Hub: a test of the rulebook.';
comment on table gateway.routing_rule_test_s is
'What must become of a call: looked at before a change of rules or offers commits.';

alter table ops.epoch add column tested_number bigint not null default 0;
comment on column ops.epoch.tested_number is 'The change up to which the tests of the rulebook have held.';
