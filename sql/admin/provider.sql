drop view if exists admin.provider;
drop view if exists admin.provider_history;
create view admin.provider_history as
select
    h.provider_bk::text as provider,
    s.provider_name::text as provider_name,
    s.adapter_kind::text as adapter_kind,
    s.api_endpoint,
    s.adapter_settings,
    s.needs_key,
    s.compliance_levels,
    s.requests_per_minute_limit,
    s.max_tokens_per_request,
    s.first_byte_timeout_ms,
    s.quality_score,
    s.is_active,
    c.customer_bk::text as customer,
    s.reconcile_percent,
    trim_scale(s.reconcile_usd) as reconcile_usd,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.ai_provider_h as h
inner join gateway.ai_provider_s as s on h.provider_hk = s.provider_hk
left join gateway.customer_h as c on s.owner_hk = c.customer_hk;

create view admin.provider as
select
    p.provider, p.provider_name, p.adapter_kind, p.api_endpoint, p.adapter_settings, p.needs_key, p.compliance_levels,
    p.requests_per_minute_limit, p.max_tokens_per_request, p.first_byte_timeout_ms, p.quality_score, p.is_active,
    p.customer, p.reconcile_percent, p.reconcile_usd,
    k.has_key,
    m.models_available,
    m.cost_per_1k_tokens,
    s.current_latency_ms,
    s.current_availability_percent
from admin.provider_history as p
inner join gateway.ai_provider_h as h on p.provider = h.provider_bk
inner join gateway.ai_provider_s as s on h.provider_hk = s.provider_hk and p.load_date = s.load_date
cross join lateral (
    select
        array_agg(o.model_bk order by o.model_bk) filter (where o.unroutable_because is null) as models_available,
        trim_scale(round(
            min(o.input_usd_per_million + o.output_usd_per_million)
            filter (where coalesce(o.unroutable_because, 'no_key') = 'no_key') / 2000, 10
        )) as cost_per_1k_tokens
    from ops.offer as o
    where
        o.provider_bk = p.provider and o.valid_from <= now() and o.valid_to > now() and util.fn_as_of() = 'infinity'
        and o.service_tier = 'standard' and o.above_tokens = 0
) as m
cross join lateral (
    select count(*) > 0 as has_key
    from gateway.ai_provider_key_h as kh
    inner join gateway.ai_provider_key_s as ks
        on kh.provider_key_hk = ks.provider_key_hk and ks.key_status = 'ACTIVE'
        and util.fn_is_in_force(ks.load_date, ks.load_end_date)
    where kh.provider_hk = s.provider_hk
) as k
where util.fn_is_in_force(p.load_date, p.load_end_date);

comment on view admin.provider is
'AI providers. DELETE takes a provider and its models off the road and revokes the house''s keys for it; inserted
again, it comes back with its models and prices, and needs a key.';
comment on column admin.provider.provider is 'Short name, as in provider/model; cannot be changed.';
comment on column admin.provider.provider_name is 'Name in full; the short name if not given.';
comment on column admin.provider.adapter_kind is
'How the worker speaks to it: openai (if not given), azure, mistral, anthropic, google, bedrock, cohere, voyage or
sandbox.';
comment on column admin.provider.api_endpoint is 'Base URL with its version, like https://api.openai.com/v1.';
comment on column admin.provider.adapter_settings is 'Quirks for the adapter, such as {"stream_usage": false}.';
comment on column admin.provider.needs_key is 'Whether it is left out as long as there is no key for it.';
comment on column admin.provider.compliance_levels is 'Levels such as HIPAA that it meets.';
comment on column admin.provider.requests_per_minute_limit is
'Requests a minute that it takes from us: what would be more goes to others first; NULL for not known.';
comment on column admin.provider.max_tokens_per_request is 'Limit on the output of any of its models; NULL for none.';
comment on column admin.provider.first_byte_timeout_ms is 'How long an answer may take to begin, in milliseconds.';
comment on column admin.provider.quality_score is 'Used by rules for quality where a model has no score of its own.';
comment on column admin.provider.customer is
'The customer whose own server this is: nobody else''s calls see it, and it is reached by https at public addresses
only, or in the networks of ONEVAULT_WEBHOOK_ALLOWED_NETWORKS; NULL for a provider of the house.';
comment on column admin.provider.reconcile_percent is
'How far what it says it counted may be apart from our books, in percent of its figure; 0.5 if not given.';
comment on column admin.provider.reconcile_usd is
'How far in USD a day, model and bucket: what is small enough by either is tolerated; 0.01 if not given.';
comment on column admin.provider.is_active is 'False takes all its models off the road.';
comment on column admin.provider.has_key is 'Whether the house has an active key for it.';
comment on column admin.provider.models_available is 'Its models that calls can be routed to now.';
comment on column admin.provider.cost_per_1k_tokens is
'Headline: USD per thousand tokens, half of them output, at its cheapest model. Bills rest on admin.price.';
comment on column admin.provider.current_latency_ms is 'Latency as measured last, in milliseconds.';
comment on column admin.provider.current_availability_percent is
'Percentage of attempts that were answered, as measured last.';

comment on view admin.provider_history is 'Every version of every provider, deleted ones included.';
comment on column admin.provider_history.provider is 'Short name.';
comment on column admin.provider_history.provider_name is 'Name in full.';
comment on column admin.provider_history.adapter_kind is 'How the worker spoke to it.';
comment on column admin.provider_history.api_endpoint is 'Base URL.';
comment on column admin.provider_history.adapter_settings is 'Quirks for the adapter.';
comment on column admin.provider_history.needs_key is 'Whether it was left out without a key.';
comment on column admin.provider_history.compliance_levels is 'Levels that it met.';
comment on column admin.provider_history.requests_per_minute_limit is 'Requests a minute; NULL for not known.';
comment on column admin.provider_history.max_tokens_per_request is 'Limit on the output of its models; NULL for none.';
comment on column admin.provider_history.first_byte_timeout_ms is
'How long an answer could take to begin, in milliseconds.';
comment on column admin.provider_history.quality_score is 'Score for rules for quality.';
comment on column admin.provider_history.customer is 'The customer whose own server it was; NULL for the house''s.';
comment on column admin.provider_history.reconcile_percent is
'How far its own figures could be apart from ours, in percent of its figure.';
comment on column admin.provider_history.reconcile_usd is 'How far in USD a day, model and bucket.';
comment on column admin.provider_history.is_active is 'Whether its models could be routed to.';
comment on column admin.provider_history.load_date is 'Since when this version holds.';
comment on column admin.provider_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.provider_history.record_source is 'SQL user who made this version, or price book.';
comment on column admin.provider_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.provider_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.provider_history.end_reason is 'Why it was deleted.';
