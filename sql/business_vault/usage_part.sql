-- Usage in parts that add up: hours that are rolled up, and every booked call that is not yet. Each side joins by
-- itself, so that a customer, tenant or time asked for reaches its index. Read as the reader, who sees one tenant.
drop view if exists
business_vault.customer_balance, business_vault.cost_analysis,
business_vault.usage_daily, business_vault.usage_hourly, business_vault.usage_part;
create view business_vault.usage_part as
select
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    t.token_bk::text as token_id,
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    u.request_type,
    u.response_status,
    u.usage_hour,
    u.usage_day,
    false as is_live,
    u.request_count,
    u.input_uncached_tokens as input_tokens,
    u.cache_read_tokens,
    u.cache_write_tokens,
    u.output_tokens,
    u.reasoning_tokens,
    u.other_tokens,
    u.input_uncached_tokens + u.cache_read_tokens + u.cache_write_tokens + u.output_tokens + u.other_tokens
    as total_tokens,
    u.provider_cost_usd,
    u.markup_usd,
    u.customer_cost_usd,
    u.house_loss_usd,
    u.own_key_cost_usd,
    u.latency_count,
    u.latency_ms_sum,
    u.first_byte_count,
    u.first_byte_ms_sum
from ops.usage_hourly as u
inner join gateway.customer_h as c on u.customer_hk = c.customer_hk
inner join auth.tenant_h as n on u.tenant_hk = n.tenant_hk
left join gateway.token_h as t on u.token_hk = t.token_hk
left join gateway.offer_l as l on u.offer_hk = l.offer_hk
left join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
left join gateway.model_h as m on l.model_hk = m.model_hk
union all
select
    n.tenant_bk::text,
    c.customer_bk::text,
    t.token_bk::text,
    p.provider_bk::text,
    m.model_bk::text,
    s.request_type::text,
    s.response_status::text,
    date_trunc('hour', s.request_timestamp, 'UTC'),
    (s.request_timestamp at time zone coalesce(ns.time_zone, 'UTC'))::date,
    true,
    1::bigint,
    coalesce(s.input_uncached_tokens, 0),
    coalesce(s.cache_read_tokens, 0),
    coalesce(s.cache_write_tokens, 0),
    coalesce(s.output_tokens, 0),
    coalesce(s.reasoning_tokens, 0),
    coalesce(s.other_tokens, 0),
    coalesce(s.input_uncached_tokens, 0) + coalesce(s.cache_read_tokens, 0) + coalesce(s.cache_write_tokens, 0)
    + coalesce(s.output_tokens, 0) + coalesce(s.other_tokens, 0),
    s.provider_cost,
    s.gateway_markup,
    s.customer_cost,
    s.house_loss,
    s.own_key_cost,
    (s.request_latency_ms is not null)::integer::bigint,
    coalesce(s.request_latency_ms, 0)::bigint,
    (s.first_byte_ms is not null)::integer::bigint,
    coalesce(s.first_byte_ms, 0)::bigint
from gateway.api_request_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
inner join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
left join auth.tenant_s as ns on s.tenant_hk = ns.tenant_hk and ns.load_end_date is null
left join gateway.token_h as t on s.token_hk = t.token_hk
left join gateway.offer_l as l on s.offer_hk = l.offer_hk
left join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
left join gateway.model_h as m on l.model_hk = m.model_hk
where
    s.api_request_hk >= ops.fn_usage_open_key() and s.load_date >= (select ops.fn_usage_counted_to())
    and (
        s.request_timestamp >= s.load_date - interval '35 days'
        or exists (
            select from gateway.late_request_s as z
            where z.api_request_hk = s.api_request_hk and z.customer_hk = s.customer_hk
        )
    );

comment on view business_vault.usage_part is
'Usage in parts that add up: rolled-up hours, and each booked call that is not rolled up yet. For hours and days whole,
see usage_hourly and usage_daily.';
comment on column business_vault.usage_part.tenant is 'Organisation of the customer.';
comment on column business_vault.usage_part.customer is 'Who called and pays.';
comment on column business_vault.usage_part.token_id is 'Public id of the token that was called with.';
comment on column business_vault.usage_part.provider is 'Provider that answered; where none did, the last one tried.';
comment on column business_vault.usage_part.model is 'Model that answered.';
comment on column business_vault.usage_part.request_type is
'What kind of call it was: completion, or what the customer named.';
comment on column business_vault.usage_part.response_status is 'SUCCESS, ERROR, TIMEOUT, CANCELLED or VOIDED.';
comment on column business_vault.usage_part.usage_hour is 'Beginning of the hour in which the requests came.';
comment on column business_vault.usage_part.usage_day is 'Day on which they came, in the tenant''s time zone.';
comment on column business_vault.usage_part.is_live is 'True for a call that is not rolled up yet.';
comment on column business_vault.usage_part.request_count is 'Requests.';
comment on column business_vault.usage_part.input_tokens is 'Input tokens that came from no cache.';
comment on column business_vault.usage_part.cache_read_tokens is 'Input tokens read from the provider''s cache.';
comment on column business_vault.usage_part.cache_write_tokens is 'Input tokens written to the provider''s cache.';
comment on column business_vault.usage_part.output_tokens is 'Output tokens, reasoning included.';
comment on column business_vault.usage_part.reasoning_tokens is 'Output tokens that were reasoning.';
comment on column business_vault.usage_part.other_tokens is
'Tokens in further buckets: hour-long cache writes, sound and pictures.';
comment on column business_vault.usage_part.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.usage_part.provider_cost_usd is 'What the providers ask for it.';
comment on column business_vault.usage_part.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.usage_part.customer_cost_usd is 'What the customer pays: provider cost and markup.';
comment on column business_vault.usage_part.house_loss_usd is 'Cost above what was reserved, which nobody is charged.';
comment on column business_vault.usage_part.own_key_cost_usd is
'What providers ask the customer himself, by his own keys; no part of the other costs.';
comment on column business_vault.usage_part.latency_count is 'Requests whose latency is known.';
comment on column business_vault.usage_part.latency_ms_sum is 'Their latencies added up.';
comment on column business_vault.usage_part.first_byte_count is 'Requests whose first byte was timed.';
comment on column business_vault.usage_part.first_byte_ms_sum is 'Their times to first byte added up.';
