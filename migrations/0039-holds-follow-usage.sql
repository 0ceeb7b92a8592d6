-- What is held for a call follows what calls of its kind really use: how many tokens a model makes of a prompt, how
-- many it answers. Customers who want no estimate are held at what cannot be passed.
set local role onevault_owner;

create table gateway.offer_usage_s (
    offer_hk bytea not null references gateway.offer_l (offer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    prompt_factor numeric(6, 3) not null default 1,
    usual_output jsonb not null default '{}',
    record_source varchar(100) not null,
    primary key (offer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint prompt_factor_is_sensible check (prompt_factor > 0 and prompt_factor <= 2)
);
create unique index offer_usage_s_has_one_current_row on gateway.offer_usage_s (offer_hk) where load_end_date is null;
comment on table gateway.offer_usage_s is 'What calls of a model at a provider use, as it was measured.';
comment on column gateway.offer_usage_s.prompt_factor is
'Tokens that nearly all prompts really have, out of what gateway.fn_estimate_prompt_tokens says; 2 is a token a byte.';
comment on column gateway.offer_usage_s.usual_output is
'Output tokens that nearly all calls stay below, by type of request.';

-- squawk-ignore adding-field-with-default, adding-required-field
alter table ops.offer add column prompt_factor numeric not null default 1;
alter table ops.offer add column usual_output jsonb;
-- squawk-ignore adding-field-with-default, adding-required-field
alter table ops.offer add column held_input_usd_per_million numeric generated always as (
    greatest(input_usd_per_million, cache_read_usd_per_million, cache_write_usd_per_million) * prompt_factor
) stored;
comment on column ops.offer.held_input_usd_per_million is
'What is held for an estimated token of the prompt: the dearest of input, cache read and cache write, as many of them as
are really used.';
update ops.past as p
set was = p.was || jsonb_build_object(
    'prompt_factor', 1, 'held_input_usd_per_million', p.was -> 'worst_input_usd_per_million'
)
where p.thing = 'offer';

alter table gateway.customer_config_s add column is_strict boolean not null default false;
comment on column gateway.customer_config_s.is_strict is
'True: a token of the prompt is held for each of its bytes, which no provider can count more of.';
-- squawk-ignore adding-field-with-default
alter table ops.principal add column is_strict boolean not null default false;
alter type gateway.request_features add attribute is_strict boolean;

-- They take more from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_reserve_scope(
    bytea, numeric, bigint, integer, integer, integer, numeric, numeric
);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_reserve_call(ops.principal, numeric, timestamptz, bigint, integer, integer);
