-- A price may hold for long prompts alone, for a service tier, a region, batches, or a variant such as a picture's
-- size. What is used beside the four common meters is booked too.
set local role onevault_owner;

alter table gateway.offer_price_s add column threshold_tokens integer not null default 0;
alter table gateway.offer_price_s add column service_tier varchar(20) not null default 'standard';
alter table gateway.offer_price_s add column region varchar(40) not null default '';
alter table gateway.offer_price_s add column mode varchar(10) not null default 'sync';
alter table gateway.offer_price_s add column variant varchar(60) not null default '';

-- squawk-ignore ban-drop-constraint
alter table gateway.offer_price_s drop constraint meter_is_known;
alter table gateway.offer_price_s
add constraint meter_is_known check (meter in (
    'input', 'output', 'cache_read', 'cache_write', 'cache_write_1h', 'input_audio', 'output_audio', 'cache_read_audio',
    'input_image', 'output_image', 'image', 'search', 'second', 'character'
)) not valid,
add constraint threshold_is_not_negative check (threshold_tokens >= 0) not valid,
add constraint service_tier_is_a_word check (service_tier ~ '^[a-z][a-z0-9_-]*$') not valid,
add constraint batch_is_a_mode check (service_tier <> 'batch') not valid,
add constraint region_is_a_word check (region ~ '^([a-z][a-z0-9_-]*)?$') not valid,
add constraint mode_is_known check (mode in ('sync', 'batch')) not valid,
add constraint batches_have_the_standard_tier check (mode = 'sync' or service_tier = 'standard') not valid,
add constraint variant_has_no_spaces check (variant ~ '^([^\s/]+(/[^\s/]+)*)?$') not valid,
add constraint tokens_have_no_variant check (
    variant = '' or meter in ('image', 'search', 'second', 'character')
) not valid;

-- squawk-ignore ban-drop-constraint
alter table gateway.offer_price_s drop constraint offer_price_s_pkey;
-- The table is small, and edited by people.
-- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
alter table gateway.offer_price_s add primary key (
    offer_hk, meter, valid_from, threshold_tokens, service_tier, region, mode, variant, load_date
);
-- squawk-ignore require-concurrent-index-deletion
drop index gateway.offer_price_s_has_one_current_row;
-- squawk-ignore require-concurrent-index-creation
create unique index offer_price_s_has_one_current_row on gateway.offer_price_s (
    offer_hk, meter, valid_from, threshold_tokens, service_tier, region, mode, variant
) where load_end_date is null;

comment on column gateway.offer_price_s.meter is
'input and output are needed of a model that chats; what else is not there falls back as gateway.fn_find_price says.';
comment on column gateway.offer_price_s.usd_per_million is
'USD per million of what the meter counts: tokens, images, searches, seconds or characters.';
comment on column gateway.offer_price_s.threshold_tokens is
'The price is for calls with more input tokens than this, for all of the call; 0 is the base.';
comment on column gateway.offer_price_s.service_tier is
'standard, or another that providers serve: flex, priority, fast.';
comment on column gateway.offer_price_s.region is
'The price is for providers whose adapter_settings name this region; empty for any.';
comment on column gateway.offer_price_s.mode is
'sync, or batch for calls that are handed in together and answered later.';
comment on column gateway.offer_price_s.variant is 'What of the meter: a picture''s size/quality; empty for any.';

-- An offer has a row for each period, service tier and range of input tokens.
alter table ops.offer add column service_tier text not null default 'standard';
alter table ops.offer add column above_tokens integer not null default 0;
alter table ops.offer add column up_to_tokens integer not null default 2147483647;
alter table ops.offer add column service_tiers text[] not null default '{standard}';
alter table ops.offer add column other_usd_per_million jsonb;
-- squawk-ignore ban-drop-constraint
alter table ops.offer drop constraint offer_pkey;
-- squawk-ignore adding-serial-primary-key-field, constraint-missing-not-valid
alter table ops.offer add primary key (offer_hk, valid_from, service_tier, above_tokens);
comment on column ops.offer.service_tier is 'The tier that this row''s prices are for; batch for calls in batches.';
comment on column ops.offer.above_tokens is
'The row is for calls with more input tokens than this by their upper estimate …';
comment on column ops.offer.up_to_tokens is '… and no more than this.';
comment on column ops.offer.service_tiers is 'All tiers that the offer has prices in.';
comment on column ops.offer.other_usd_per_million is
'What is held by, of meters other than the four that have columns: {"search": 10000, "image/1024x1024/high": 40000}.';
comment on column ops.offer.input_usd_per_million is
'What is held by: the dearest of the prices from the base up to this row''s range. So are those of other meters.';
update ops.past as p
set was = p.was || jsonb_build_object(
    'service_tier', 'standard', 'above_tokens', 0, 'up_to_tokens', 2147483647, 'service_tiers', array['standard']
)
where p.thing = 'offer';

alter table gateway.api_request_attempt_s add column other_usage jsonb;
alter table gateway.api_request_attempt_s add column other_tokens bigint;
alter table gateway.api_request_attempt_s add column service_tier varchar(20);
alter table gateway.api_request_attempt_s add column threshold_tokens integer not null default 0;
alter table gateway.api_request_attempt_s add column has_unpriced_usage boolean not null default false;
comment on column gateway.api_request_attempt_s.other_usage is
'Usage in further disjoint buckets, by meter or meter/variant: {"cache_write_1h": {"units": 1200, "usd_per_million":
6}}.';
comment on column gateway.api_request_attempt_s.other_tokens is 'The tokens among them.';
comment on column gateway.api_request_attempt_s.service_tier is 'The tier that served it, as the provider told.';
comment on column gateway.api_request_attempt_s.threshold_tokens is
'The prices are those for more input tokens than this; 0 for the base.';
comment on column gateway.api_request_attempt_s.has_unpriced_usage is
'Whether something was used that had no price of its own: it is in other_usage, and costs what is known at best.';
alter table gateway.api_request_s add column other_usage jsonb;
alter table gateway.api_request_s add column other_tokens bigint;
alter table gateway.api_request_s add column service_tier varchar(20);
comment on column gateway.api_request_s.other_usage is 'As of the attempt that is charged.';
comment on column gateway.api_request_s.other_tokens is 'Tokens of other_usage; they are in total_tokens.';
comment on column gateway.api_request_s.service_tier is 'The tier that served it, as the provider told.';
comment on column gateway.api_request_s.prompt_tokens is
'All input tokens: uncached, cache read and cache write, sound and pictures.';
alter table ops.usage_hourly add column other_tokens bigint not null default 0;

alter type gateway.priced_attempt add attribute other_usage jsonb;
alter type gateway.priced_attempt add attribute other_input bigint;
alter type gateway.priced_attempt add attribute other_output bigint;
alter type gateway.priced_attempt add attribute service_tier text;
alter type gateway.priced_attempt add attribute threshold_tokens integer;
alter type gateway.priced_attempt add attribute has_unpriced_usage boolean;

alter type gateway.request_features add attribute service_tier text;
alter type gateway.request_features add attribute images_out integer;
alter type gateway.request_features add attribute image_variant text;
alter type gateway.request_features add attribute searches integer;
alter type gateway.request_features add attribute audio_in boolean;
alter type gateway.request_features add attribute audio_out boolean;
alter type gateway.request_features add attribute cache_1h boolean;
alter type gateway.request_features add attribute is_special boolean;

create type gateway.held_extras as (input_usd numeric, output_usd numeric, extra_usd numeric, is_unpriced boolean);
comment on type gateway.held_extras is
'What is held of a call that may use more than text: USD per million tokens of prompt and answer, and USD besides.';

-- They take more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_score_offers(
    timestamptz, gateway.request_features, text, text, bigint, ops.principal, text[], ops.rule, boolean, bigint, bigint,
    jsonb, jsonb
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_rank_offers(
    timestamptz, gateway.request_features, text, text, bigint, numeric, text[], text[], numeric, text[], bigint, jsonb,
    jsonb
);
