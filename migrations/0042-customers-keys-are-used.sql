-- Customers' own keys at providers are used: several a provider, told apart by name, each with its word on whether the
-- house's key may follow. What was called with one costs the house nothing; what it cost its owner stands by itself.
set local role onevault_owner;

-- squawk-ignore adding-field-with-default
alter table gateway.customer_provider_keys_h add column key_name varchar(100) not null default 'own';
alter table gateway.customer_provider_keys_s add column falls_back boolean not null default true;
comment on column gateway.customer_provider_keys_h.key_name is 'Tells several keys of a customer at a provider apart.';
comment on column gateway.customer_provider_keys_s.falls_back is
'Whether the house''s key may be used, at its price, where this one was not taken.';

alter table ops.principal add column own_keys jsonb;
comment on column ops.principal.own_keys is
'Own keys, the one set last first: {"maker": {"any": {"keys": [hash key, …], "stays": false}, "models": {"model": …}}};
stays is where nothing else may be used. NULL for most.';

alter table gateway.api_request_attempt_s add column is_own_key boolean not null default false;
alter table gateway.api_request_attempt_s add column own_key_cost numeric(20, 10) not null default 0;
alter table gateway.api_request_s add column own_key_cost numeric(20, 10) not null default 0;
alter table ops.usage_hourly add column own_key_cost_usd numeric not null default 0;
comment on column gateway.api_request_attempt_s.is_own_key is
'Whether provider_key_hk is a key of the customer''s own; provider_cost is 0 then.';
comment on column gateway.api_request_attempt_s.own_key_cost is
'What the provider asks the customer himself for it; 0 unless is_own_key.';
comment on column gateway.api_request_s.own_key_cost is
'What providers ask the customer himself, by his own keys; no part of provider_cost.';

alter type gateway.priced_attempt add attribute is_own_key boolean;
alter type gateway.priced_attempt add attribute own_key_cost numeric;

alter table ops.reservation add column told_key text;
comment on column ops.reservation.told_key is 'The key that was being used when a worker last told.';

create table ops.key_validation (
    provider_key_hk bytea primary key,
    asked_at timestamptz not null,
    due_at timestamptz,
    tries integer not null default 0,
    finding text not null default 'waiting',
    found_at timestamptz,
    constraint finding_is_known check (finding in ('waiting', 'accepted', 'refused', 'unreachable', 'unsupported'))
) with (fillfactor = 50);

create index key_validation_by_due on ops.key_validation (due_at) where due_at is not null;

comment on table ops.key_validation is
'Keys whose provider is to be asked whether it takes them, the house''s and customers'' own, and what it said last.';
comment on column ops.key_validation.due_at is 'When a worker is to ask; NULL when there is nothing left to ask.';
comment on column ops.key_validation.finding is
'waiting, accepted, refused, unreachable (asked again later) or unsupported (nothing there to ask).';
comment on table ops.key_health is
'Keys that a provider did not take. Refused (401, 402, 403), the house''s and customers'' own: set aside for a minute,
then two, at most an hour. A customer''s own that reached its rate limit: for as long as the provider asks, else for a
second, then two, at most a minute. A key that was taken again, or set anew, has no row.';

-- They take or tell more from now on.
-- squawk-ignore ban-drop-function
drop function if exists admin.explain_route(text, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists admin.fn_explain_choice(
    ops.principal, gateway.request_features, bigint, timestamptz, bigint, bigint, jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_choose_candidates(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_list_resting(timestamptz, jsonb);
