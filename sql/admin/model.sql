drop view if exists admin.model;
drop view if exists admin.model_history;
create view admin.model_history as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.upstream_model::text as upstream_model,
    s.capabilities,
    s.features,
    s.context_tokens,
    s.max_output_tokens,
    s.default_output_tokens,
    s.max_inputs,
    s.surfaces,
    s.quality_score,
    s.quality_by_type,
    s.is_active,
    c.customer_bk::text as customer,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.offer_l as l
inner join gateway.offer_s as s on l.offer_hk = s.offer_hk
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk
left join gateway.customer_h as c on s.owner_hk = c.customer_hk;

create view admin.model as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.upstream_model::text as upstream_model,
    s.capabilities,
    s.features,
    s.context_tokens,
    s.max_output_tokens,
    s.default_output_tokens,
    s.max_inputs,
    s.surfaces,
    s.quality_score,
    s.quality_by_type,
    s.is_active,
    c.customer_bk::text as customer,
    trim_scale(o.input_usd_per_million) as input_usd_per_million,
    trim_scale(o.output_usd_per_million) as output_usd_per_million,
    trim_scale(o.cache_read_usd_per_million) as cache_read_usd_per_million,
    trim_scale(o.cache_write_usd_per_million) as cache_write_usd_per_million,
    o.unroutable_because
from gateway.offer_l as l
inner join gateway.offer_s as s on l.offer_hk = s.offer_hk and util.fn_is_in_force(s.load_date, s.load_end_date)
inner join gateway.ai_provider_s as ps
    on l.provider_hk = ps.provider_hk and util.fn_is_in_force(ps.load_date, ps.load_end_date)
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk
left join gateway.customer_h as c on s.owner_hk = c.customer_hk
left join ops.offer as o
    on l.offer_hk = o.offer_hk and o.valid_from <= now() and o.valid_to > now() and util.fn_as_of() = 'infinity'
    and o.service_tier = 'standard' and o.above_tokens = 0;

comment on view admin.model is
'Models at providers, a row each: what calls are routed to. DELETE takes one off the road and ends its prices, history
stays. Prices are those of now, of the standard tier and for prompts below every threshold: for others and as of an
earlier moment look into admin.price. Rows that the price book made and nobody touched follow the price book; a changed
one is left alone.';
comment on column admin.model.provider is 'Provider that runs it.';
comment on column admin.model.model is 'Name that customers ask for; the same model at two providers has one name.';
comment on column admin.model.upstream_model is 'Name by which the provider knows it; the same if not given.';
comment on column admin.model.capabilities is 'What it does: chat (if not given), embedding, image, rerank.';
comment on column admin.model.features is
'What it can besides: stream, tools, vision, structured; all of them if not given.';
comment on column admin.model.context_tokens is 'Longest prompt in tokens; 128000 if not given.';
comment on column admin.model.max_output_tokens is 'Most tokens of an answer; 16384 if not given.';
comment on column admin.model.default_output_tokens is
'Limit on the answer to a call that names none, and what is held for it; 4096 if not given.';
comment on column admin.model.max_inputs is
'Most texts that it embeds in a call; NULL for what its kind of provider takes: 96 at cohere, 100 at google, 1000 at
voyage. Calls with more go to other models.';
comment on column admin.model.surfaces is
'Routes by which it can be talked to, where not by all: {responses} for a model that only that API has. Of chat, native,
responses, messages, count_tokens.';
comment on column admin.model.quality_score is 'Used by rules for quality; NULL for the provider''s.';
comment on column admin.model.quality_by_type is
'Scores for types of request where they differ: {"summary": 82.5, "code": 60}.';
comment on column admin.model.customer is
'The one customer whose calls may use it, such as a model tuned for it; NULL for all.';
comment on column admin.model.is_active is 'False takes it off the road.';
comment on column admin.model.input_usd_per_million is 'Price in force of a million input tokens; set in admin.price.';
comment on column admin.model.output_usd_per_million is
'Price in force of a million output tokens; set in admin.price.';
comment on column admin.model.cache_read_usd_per_million is 'Price in force of a million tokens read from the cache.';
comment on column admin.model.cache_write_usd_per_million is 'Price in force of a million tokens written to the cache.';
comment on column admin.model.unroutable_because is
'Why no call is routed to it: provider_inactive, offer_inactive, no_key, no_price; NULL when calls are.';

comment on view admin.model_history is 'Every version of every model at a provider, deleted ones included.';
comment on column admin.model_history.provider is 'Provider that runs it.';
comment on column admin.model_history.model is 'Name that customers ask for.';
comment on column admin.model_history.upstream_model is 'Name by which the provider knows it.';
comment on column admin.model_history.capabilities is 'What it does.';
comment on column admin.model_history.features is 'What it can besides.';
comment on column admin.model_history.context_tokens is 'Longest prompt in tokens.';
comment on column admin.model_history.max_output_tokens is 'Most tokens of an answer.';
comment on column admin.model_history.default_output_tokens is 'Limit on the answer to a call that names none.';
comment on column admin.model_history.max_inputs is 'Most texts that it embedded in a call.';
comment on column admin.model_history.surfaces is 'Routes by which it could be talked to; NULL for all.';
comment on column admin.model_history.quality_score is 'Score for rules for quality.';
comment on column admin.model_history.quality_by_type is 'Scores for types of request.';
comment on column admin.model_history.customer is 'The one customer whose calls could use it; NULL for all.';
comment on column admin.model_history.is_active is 'Whether calls could be routed to it.';
comment on column admin.model_history.load_date is 'Since when this version holds.';
comment on column admin.model_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.model_history.record_source is 'SQL user who made this version, or price book.';
comment on column admin.model_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.model_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.model_history.end_reason is 'Why it was deleted.';
