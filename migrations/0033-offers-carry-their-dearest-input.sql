-- What a decision would otherwise work out for every offer of every call.
set local role onevault_owner;

-- squawk-ignore adding-field-with-default, adding-required-field
alter table ops.offer add column worst_input_usd_per_million numeric generated always as (
    greatest(input_usd_per_million, cache_read_usd_per_million, cache_write_usd_per_million)
) stored;
comment on column ops.offer.worst_input_usd_per_million is
'What a token of the prompt costs at most: the dearest of input, cache read and cache write.';

update ops.past as p
set was = p.was || jsonb_build_object('worst_input_usd_per_million', greatest(
    (p.was ->> 'input_usd_per_million')::numeric, (p.was ->> 'cache_read_usd_per_million')::numeric,
    (p.was ->> 'cache_write_usd_per_million')::numeric
))
where p.thing = 'offer';

-- Room for the version that handing it out makes, in the same page: then no index is touched, and little is logged.
alter table ops.reservation set (fillfactor = 50);

-- They return more since decisions are kept.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_resolve_model(text, ops.rule);
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_book_attempt(
    bytea, bytea, integer, timestamptz, jsonb, jsonb, gateway.priced_attempt, boolean
);
