-- An offer is a model at a provider: a link with what it can do and what it costs.
set local role onevault_owner;

create table gateway.model_h (
    model_hk bytea primary key,
    model_bk varchar(255) not null unique,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint model_bk_is_not_blank check (btrim(model_bk) <> '')
);

create table gateway.offer_l (
    offer_hk bytea primary key,
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    model_hk bytea not null references gateway.model_h (model_hk),
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    unique (provider_hk, model_hk)
);

create table gateway.offer_s (
    offer_hk bytea not null references gateway.offer_l (offer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    upstream_model varchar(255) not null,
    capabilities text[] not null default '{chat}',
    features text[] not null default '{stream,tools,vision,structured}',
    context_tokens integer not null default 128000,
    context_is_price_limit boolean not null default false,
    max_output_tokens integer not null default 16384,
    default_output_tokens integer not null default 4096,
    quality_score numeric(5, 2),
    is_active boolean not null default true,
    record_source varchar(100) not null,
    primary key (offer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint token_limits_are_positive check (
        context_tokens > 0 and max_output_tokens > 0 and default_output_tokens > 0
    ),
    constraint capabilities_are_known check (capabilities <@ '{chat,embedding,image}'::text[]),
    constraint features_are_known check (features <@ '{stream,tools,vision,structured}'::text[])
);

create unique index offer_s_has_one_current_row on gateway.offer_s (offer_hk)
where load_end_date is null;

create table gateway.offer_price_s (
    offer_hk bytea not null references gateway.offer_l (offer_hk),
    meter varchar(30) not null,
    valid_from timestamptz not null default '-infinity',
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    valid_to timestamptz not null default 'infinity',
    usd_per_million numeric(20, 10) not null,
    price_source varchar(30) not null default 'HAND',
    record_source varchar(100) not null,
    primary key (offer_hk, meter, valid_from, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint valid_to_is_after_valid_from check (valid_to > valid_from),
    constraint price_is_not_negative check (usd_per_million >= 0),
    constraint meter_is_known check (meter in ('input', 'output', 'cache_read', 'cache_write')),
    constraint price_source_is_known check (price_source in ('HAND', 'PRICE_BOOK'))
);

create unique index offer_price_s_has_one_current_row on gateway.offer_price_s (offer_hk, meter, valid_from)
where load_end_date is null;

comment on table gateway.model_h is 'Hub: a model by the name customers ask for.';
comment on table gateway.offer_l is 'Link: a model at a provider. What is routed to, priced and measured.';
comment on column gateway.offer_s.context_is_price_limit is
'Longer prompts cost more than the prices here: a prompt must be within context_tokens by its upper estimate.';
comment on column gateway.offer_s.default_output_tokens is
'Output limit of a call that names none; what the reservation then pays for, and what is sent to the provider.';
comment on table gateway.offer_price_s is
'Price book, bitemporal: valid_from/valid_to say when a price holds, load_date/load_end_date when it was known.';
comment on column gateway.offer_price_s.meter is
'input and output are needed; cache_read and cache_write fall back to input when absent.';
