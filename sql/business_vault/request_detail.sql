-- Customers are grouped, so that a query joins one row to requests and not two hubs one after the other: a join is paid
-- for once a request. A condition on a name is passed through to the hub. Providers are grouped so that they are hashed
-- and not looked up each. The fence finds a customer's tokens once, in place of those of each request by four keys.
drop view if exists business_vault.request_detail;
create view business_vault.request_detail as
with customer as (
    select h.customer_hk, h.customer_bk::text as customer, n.tenant_bk::text as tenant
    from gateway.customer_h as h
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    group by h.customer_hk, h.customer_bk, n.tenant_bk
),

provider as (
    select h.provider_hk, h.provider_bk from gateway.ai_provider_h as h group by h.provider_hk
)

select
    s.request_id,
    s.request_timestamp,
    s.load_date as booked_at,
    c.tenant,
    c.customer,
    t.token_id, t.token_name,
    s.request_type::text as request_type,
    s.capability::text as capability,
    s.surface::text as surface,
    s.is_streamed, s.priority_tier::text as priority_tier,
    s.model_asked::text as model_asked,
    p.provider_bk::text as provider,
    s.model_used::text as model,
    s.response_status::text as response_status,
    s.error_class::text as error_class,
    s.error_message, s.attempt_count,
    s.input_uncached_tokens as input_tokens, s.cache_read_tokens, s.cache_write_tokens,
    s.output_tokens, s.reasoning_tokens,
    (s.other_usage #>> '{cache_write_1h,units}')::bigint as cache_write_1h_tokens,
    (s.other_usage #>> '{input_audio,units}')::bigint as input_audio_tokens,
    (s.other_usage #>> '{cache_read_audio,units}')::bigint as cache_read_audio_tokens,
    (s.other_usage #>> '{output_audio,units}')::bigint as output_audio_tokens,
    (s.other_usage #>> '{input_image,units}')::bigint as input_image_tokens,
    (s.other_usage #>> '{output_image,units}')::bigint as output_image_tokens,
    gateway.fn_sum_pictures(s.other_usage) as image_count,
    (s.other_usage #>> '{search,units}')::bigint as search_count,
    (s.other_usage #>> '{second,units}')::numeric as audio_seconds,
    (s.other_usage #>> '{character,units}')::bigint as character_count,
    s.total_tokens,
    s.service_tier::text as service_tier,
    s.usage_source::text as usage_source,
    s.request_latency_ms as latency_ms, s.first_byte_ms,
    s.reserved_cost as reserved_usd,
    s.provider_cost as provider_cost_usd, s.gateway_markup as markup_usd, s.customer_cost as customer_cost_usd,
    s.house_loss as house_loss_usd, s.own_key_cost as own_key_cost_usd, s.markup_percent,
    s.route_reason::text as route_reason,
    r.rule_name::text as rule_name,
    s.compliance_flags,
    s.request_ip as client_address, s.user_agent as client_agent,
    case when s.charge_terms is not null then gateway.fn_describe_terms(s.charge_terms -> 'rules') end as charged_by,
    s.charge_terms
from gateway.api_request_s as s
inner join customer as c on s.customer_hk = c.customer_hk
left join lateral (
    select h.token_hk, h.token_bk::text as token_id, ts.token_name::text as token_name
    from gateway.token_h as h
    left join gateway.token_s as ts on h.token_hk = ts.token_hk and ts.load_end_date is null
    where h.customer_hk = c.customer_hk order by h.token_hk offset 0
) as t on s.token_hk = t.token_hk
left join provider as p on s.provider_hk = p.provider_hk
left join gateway.routing_rule_s as r on s.rule_hk = r.routing_rule_hk and r.load_end_date is null;

comment on view business_vault.request_detail is
'Every booked request with all that is known of it; never a word of what was asked or answered.';
comment on column business_vault.request_detail.request_id is 'The request''s id, as the customer got it.';
comment on column business_vault.request_detail.request_timestamp is 'When the request came.';
comment on column business_vault.request_detail.booked_at is 'When its result was booked.';
comment on column business_vault.request_detail.tenant is 'Organisation of the customer.';
comment on column business_vault.request_detail.customer is 'Who called and pays.';
comment on column business_vault.request_detail.token_id is 'Public id of the token that was called with.';
comment on column business_vault.request_detail.token_name is 'What people call that token now.';
comment on column business_vault.request_detail.request_type is
'What kind of call it was: completion, or what the customer named.';
comment on column business_vault.request_detail.capability is
'What the model had to be able to do: chat, embedding, image or rerank.';
comment on column business_vault.request_detail.surface is 'Route family it came by: native or chat.';
comment on column business_vault.request_detail.is_streamed is 'Whether the answer was asked for as a stream.';
comment on column business_vault.request_detail.priority_tier is 'Tier of the queue it went through.';
comment on column business_vault.request_detail.model_asked is
'Model as the customer named it; NULL when left to the gateway.';
comment on column business_vault.request_detail.provider is
'Provider that answered; where none did, the last one tried.';
comment on column business_vault.request_detail.model is 'Model that answered.';
comment on column business_vault.request_detail.response_status is 'SUCCESS, ERROR, TIMEOUT, CANCELLED or VOIDED.';
comment on column business_vault.request_detail.error_class is 'Class of the failure, from a closed list.';
comment on column business_vault.request_detail.error_message is 'That class as a sentence; never a provider''s words.';
comment on column business_vault.request_detail.attempt_count is 'Calls made to providers.';
comment on column business_vault.request_detail.input_tokens is
'Input tokens that came from no cache; NULL when unknown.';
comment on column business_vault.request_detail.cache_read_tokens is
'Input tokens read from the provider''s cache; NULL when unknown.';
comment on column business_vault.request_detail.cache_write_tokens is
'Input tokens written to the provider''s cache; NULL when unknown.';
comment on column business_vault.request_detail.output_tokens is
'Output tokens, reasoning included; NULL when unknown.';
comment on column business_vault.request_detail.reasoning_tokens is
'Output tokens that were reasoning; NULL when unknown.';
comment on column business_vault.request_detail.cache_write_1h_tokens is
'Input tokens written to the provider''s cache for an hour, apart from cache_write_tokens; NULL for none.';
comment on column business_vault.request_detail.input_audio_tokens is 'Input tokens of sound; NULL for none.';
comment on column business_vault.request_detail.cache_read_audio_tokens is
'Input tokens of sound read from the provider''s cache; NULL for none.';
comment on column business_vault.request_detail.output_audio_tokens is 'Output tokens of sound; NULL for none.';
comment on column business_vault.request_detail.input_image_tokens is
'Input tokens of pictures, where the provider counts them apart; NULL for none.';
comment on column business_vault.request_detail.output_image_tokens is 'Output tokens of pictures; NULL for none.';
comment on column business_vault.request_detail.image_count is
'Pictures made that are priced by the piece; NULL for none.';
comment on column business_vault.request_detail.search_count is 'Searches that the provider bills; NULL for none.';
comment on column business_vault.request_detail.audio_seconds is 'Sound that is priced by its length; NULL for none.';
comment on column business_vault.request_detail.character_count is 'Characters that are priced as such; NULL for none.';
comment on column business_vault.request_detail.total_tokens is
'Input, cache, output and other tokens together; NULL when unknown.';
comment on column business_vault.request_detail.service_tier is
'Service tier that the provider says it served; NULL when it says nothing.';
comment on column business_vault.request_detail.usage_source is
'Where the token counts come from: provider_final, provider_partial, estimated or reconciled.';
comment on column business_vault.request_detail.latency_ms is 'Time to the end of the answer.';
comment on column business_vault.request_detail.first_byte_ms is 'Time to the first byte of the answer.';
comment on column business_vault.request_detail.reserved_usd is 'Worst case that was held before the call.';
comment on column business_vault.request_detail.provider_cost_usd is
'What the providers ask the house for all attempts.';
comment on column business_vault.request_detail.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.request_detail.customer_cost_usd is 'What the customer pays.';
comment on column business_vault.request_detail.house_loss_usd is
'Cost above what was reserved, which nobody is charged.';
comment on column business_vault.request_detail.own_key_cost_usd is
'What providers ask the customer himself, by his own keys; no part of the other costs.';
comment on column business_vault.request_detail.markup_percent is 'Markup in force for the request.';
comment on column business_vault.request_detail.route_reason is 'Why it went where it went.';
comment on column business_vault.request_detail.rule_name is
'Routing rule that decided, by its present name; NULL for none.';
comment on column business_vault.request_detail.compliance_flags is
'Compliance levels that were required of the provider.';
comment on column business_vault.request_detail.client_address is
'Caller''s address, as far as the tenant''s policy keeps it.';
comment on column business_vault.request_detail.client_agent is
'Caller''s agent, as far as the tenant''s policy keeps it.';
comment on column business_vault.request_detail.charged_by is
'Rules of prices that made the charge, in words; NULL: markup_percent and nothing else.';
comment on column business_vault.request_detail.charge_terms is
'The same as data: rules as they were then (load_date names the version in admin.charge_rule_history), usd_per_million
charged for each meter used, minimum_is_charged.';
