-- Rules say how offers are weighed, decisions are kept so that they can be made again, and what they rested on is kept
-- in the versions it had. Epochs number the changes of rules and offers in the order in which they became visible.
set local role onevault_owner;

alter table gateway.routing_rule_s add column targets jsonb;
alter table gateway.routing_rule_s add column fallbacks text[];
alter table gateway.routing_rule_s add column strategy varchar(20);
alter table gateway.routing_rule_s add column optimization_weights jsonb;
alter table gateway.routing_rule_s add column min_quality_score numeric(5, 2);
alter table gateway.routing_rule_s add column is_sticky boolean not null default false;
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint strategy_is_known check (
    strategy in ('OPTIMIZE', 'WEIGHTED', 'LEAST_OUTSTANDING')
);
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint rule_has_one_kind_of_target check (
    targets is null or num_nonnulls(target_provider, target_model) = 0
);
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint fallbacks_follow_a_target check (
    fallbacks is null or num_nonnulls(targets, target_provider, target_model) > 0
);
-- squawk-ignore constraint-missing-not-valid
alter table gateway.routing_rule_s add constraint weighted_rules_have_targets check (
    strategy <> 'WEIGHTED' or targets is not null
);
comment on column gateway.routing_rule_s.targets is 'Names of models with their weights: {"maker/model": 3}.';

alter table gateway.offer_s add column quality_by_type jsonb;
-- squawk-ignore constraint-missing-not-valid
alter table gateway.offer_s add constraint quality_by_type_is_an_object check (
    jsonb_typeof(quality_by_type) = 'object'
);
comment on column gateway.offer_s.quality_by_type is
'Scores for types of request, where they differ from quality_score.';

create table ops.epoch (
    only_row boolean primary key default true,
    number bigint not null default 1,
    constraint there_is_one_row check (only_row)
);
insert into ops.epoch default values;
comment on table ops.epoch is
'Number of the last change of rules or offers. Changes queue up for it, so whoever sees a number sees all before it.';

create sequence ops.version;
comment on sequence ops.version is 'Numbers the versions of what decisions rest on.';

create table ops.past (
    version bigint primary key,
    thing text not null,
    from_epoch bigint,
    until_epoch bigint,
    was jsonb not null,
    constraint thing_is_known check (thing in ('offer', 'principal', 'rule'))
);
create index past_by_epoch on ops.past (thing, until_epoch, from_epoch);
comment on table ops.past is
'Rows of ops.offer, ops.rule and ops.principal as they were, so that decisions of then can be made again.';
comment on column ops.past.until_epoch is
'The change that replaced it; NULL for principals, which are named by version.';

-- squawk-ignore adding-field-with-default
alter table ops.offer add column version bigint not null default nextval('ops.version');
alter table ops.offer add column from_epoch bigint not null default 0;
alter table ops.offer add column quality_by_type jsonb;
-- squawk-ignore require-concurrent-index-creation
create unique index offer_by_version on ops.offer (version);
-- squawk-ignore adding-field-with-default
alter table ops.principal add column version bigint not null default nextval('ops.version');
-- squawk-ignore require-concurrent-index-creation
create unique index principal_by_version on ops.principal (version);
delete from ops.rule as r where true;
-- squawk-ignore adding-field-with-default
alter table ops.rule add column version bigint not null default nextval('ops.version');
alter table ops.rule add column from_epoch bigint not null default 0;
alter table ops.rule add column scope_gate text;
alter table ops.rule add column target_names text[];
alter table ops.rule add column target_weights numeric[];
alter table ops.rule add column target_places integer[];
alter table ops.rule add column strategy text not null default 'OPTIMIZE';
alter table ops.rule add column cost_weight float8 not null default 1;
alter table ops.rule add column latency_weight float8 not null default 0;
alter table ops.rule add column quality_weight float8 not null default 0;
alter table ops.rule add column min_quality_score numeric;
alter table ops.rule add column is_sticky boolean not null default false;
comment on column ops.rule.scope_gate is 'Its gate when it is for a tenant, a customer or a token; NULL for all.';
comment on column ops.rule.target_names is 'Models that it may send calls to that name none; NULL for all.';
comment on column ops.rule.target_places is '0 for a target, from 1 on for fallbacks in their order.';

create table ops.asked_metadata (name text primary key);
comment on table ops.asked_metadata is
'Metadata that rules in force ask for: only these are kept with a decision, shortened.';

create table ops.offer_speed (
    offer_hk bytea primary key,
    first_byte_ms float8,
    ms_per_token float8,
    measured_at timestamptz not null
);
comment on table ops.offer_speed is
'Peak-sensitive moving averages: a slower figure counts at once, a faster one by and by (half in 40 seconds).';
comment on column ops.offer_speed.ms_per_token is 'Time per output token, after the first byte of a stream.';

create table ops.conversation (
    session_digest bytea not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    offer_hk bytea not null,
    expires_at timestamptz not null,
    primary key (session_digest, customer_hk)
) with (
    fillfactor = 80, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0
);
create index conversation_by_end on ops.conversation (expires_at);
alter table ops.conversation enable row level security, force row level security;
create policy owner_sees_all on ops.conversation to onevault_owner using (true);
comment on table ops.conversation is
'Which offer a conversation under a sticky rule went to last: keyed digests, while providers keep prompts warm.';

alter table ops.reservation add column decision jsonb;
alter table gateway.api_request_s add column decision jsonb;
comment on column gateway.api_request_s.decision is
'What the choice rested on: epoch of rules and offers, version of the principal, seed, features, what was seen of health
and speed, and the versions of the offers chosen, in order. NULL for requests before this was kept.';

alter type gateway.request_features add attribute session text;

create type gateway.route_choice as (
    refusal gateway.route_decision,
    rule_hk bytea,
    reason text,
    provider_hk bytea,
    provider_bk text,
    model_bk text,
    hold_usd numeric,
    candidates jsonb,
    prices jsonb,
    is_sticky boolean,
    record jsonb
);
alter type gateway.route_choice add attribute compliance text array;
comment on type gateway.route_choice is 'What was decided about a call, before anything is reserved.';

-- They take more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_match_rule(ops.principal, gateway.request_features, bigint, timestamptz);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[]
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_refuse_unroutable(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], text
);
