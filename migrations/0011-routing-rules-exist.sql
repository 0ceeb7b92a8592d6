set local role onevault_owner;

create table gateway.routing_rule_h (
    routing_rule_hk bytea primary key,
    routing_rule_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);

create table gateway.routing_rule_s (
    routing_rule_hk bytea not null references gateway.routing_rule_h (routing_rule_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    rule_name varchar(200) not null,
    rule_priority integer not null default 100,
    conditions jsonb not null,
    target_provider varchar(100),
    target_model varchar(100),
    cost_optimization boolean not null default true,
    latency_optimization boolean not null default false,
    quality_optimization boolean not null default false,
    compliance_requirements text[],
    max_attempts smallint not null default 3,
    is_active boolean not null default true,
    record_source varchar(100) not null,
    primary key (routing_rule_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint conditions_is_an_object check (jsonb_typeof(conditions) = 'object'),
    constraint max_attempts_is_sensible check (max_attempts between 1 and 10)
);

create unique index routing_rule_s_has_one_current_row on gateway.routing_rule_s (routing_rule_hk)
where load_end_date is null;

comment on table gateway.routing_rule_h is 'Hub: a routing rule.';
comment on column gateway.routing_rule_s.conditions is 'JSON: when the rule applies; {} applies always.';
comment on column gateway.routing_rule_s.rule_priority is
'Lower first; the first active rule whose conditions hold decides.';
