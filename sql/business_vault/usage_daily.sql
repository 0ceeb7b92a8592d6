create view business_vault.usage_daily as
with counted as (
    select
        u.usage_day,
        u.tenant,
        u.customer,
        u.token_id,
        u.provider,
        u.model,
        u.request_type,
        u.response_status,
        sum(u.request_count)::bigint as request_count,
        sum(u.input_tokens)::bigint as input_tokens,
        sum(u.cache_read_tokens)::bigint as cache_read_tokens,
        sum(u.cache_write_tokens)::bigint as cache_write_tokens,
        sum(u.output_tokens)::bigint as output_tokens,
        sum(u.reasoning_tokens)::bigint as reasoning_tokens,
        sum(u.other_tokens)::bigint as other_tokens,
        sum(u.total_tokens)::bigint as total_tokens,
        sum(u.provider_cost_usd) as provider_cost_usd,
        sum(u.markup_usd) as markup_usd,
        sum(u.customer_cost_usd) as customer_cost_usd,
        sum(u.house_loss_usd) as house_loss_usd,
        sum(u.own_key_cost_usd) as own_key_cost_usd,
        round(sum(u.latency_ms_sum) / nullif(sum(u.latency_count), 0))::integer as average_latency_ms,
        round(sum(u.first_byte_ms_sum) / nullif(sum(u.first_byte_count), 0))::integer as average_first_byte_ms
    from business_vault.usage_part as u
    group by
        u.usage_day, u.tenant, u.customer, u.token_id, u.provider, u.model, u.request_type, u.response_status
)

select
    c.usage_day,
    c.tenant,
    c.customer,
    c.token_id,
    ts.token_name::text as token_name,
    c.provider,
    c.model,
    c.request_type,
    c.response_status,
    c.request_count,
    c.input_tokens,
    c.cache_read_tokens,
    c.cache_write_tokens,
    c.output_tokens,
    c.reasoning_tokens,
    c.other_tokens,
    c.total_tokens,
    c.provider_cost_usd,
    c.markup_usd,
    c.customer_cost_usd,
    c.house_loss_usd,
    c.own_key_cost_usd,
    c.average_latency_ms,
    c.average_first_byte_ms
from counted as c
left join gateway.token_h as t on c.token_id = t.token_bk
left join gateway.token_s as ts on t.token_hk = ts.token_hk and ts.load_end_date is null;

comment on view business_vault.usage_daily is
'Usage by day of the tenant''s time zone, customer, token, provider, model, kind and outcome, up to the last booked
call.';
comment on column business_vault.usage_daily.usage_day is 'Day on which the requests came, in the tenant''s time zone.';
comment on column business_vault.usage_daily.tenant is 'Organisation of the customer.';
comment on column business_vault.usage_daily.customer is 'Who called and pays.';
comment on column business_vault.usage_daily.token_id is 'Public id of the token that was called with.';
comment on column business_vault.usage_daily.token_name is 'What people call that token now.';
comment on column business_vault.usage_daily.provider is 'Provider that answered; where none did, the last one tried.';
comment on column business_vault.usage_daily.model is 'Model that answered.';
comment on column business_vault.usage_daily.request_type is
'What kind of call it was: completion, or what the customer named.';
comment on column business_vault.usage_daily.response_status is 'SUCCESS, ERROR, TIMEOUT, CANCELLED or VOIDED.';
comment on column business_vault.usage_daily.request_count is 'Requests.';
comment on column business_vault.usage_daily.input_tokens is 'Input tokens that came from no cache.';
comment on column business_vault.usage_daily.cache_read_tokens is 'Input tokens read from the provider''s cache.';
comment on column business_vault.usage_daily.cache_write_tokens is 'Input tokens written to the provider''s cache.';
comment on column business_vault.usage_daily.output_tokens is 'Output tokens, reasoning included.';
comment on column business_vault.usage_daily.reasoning_tokens is 'Output tokens that were reasoning.';
comment on column business_vault.usage_daily.other_tokens is
'Tokens in further buckets: hour-long cache writes, sound and pictures.';
comment on column business_vault.usage_daily.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.usage_daily.provider_cost_usd is 'What the providers ask for it.';
comment on column business_vault.usage_daily.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.usage_daily.customer_cost_usd is 'What the customer pays: provider cost and markup.';
comment on column business_vault.usage_daily.house_loss_usd is 'Cost above what was reserved, which nobody is charged.';
comment on column business_vault.usage_daily.own_key_cost_usd is
'What providers ask the customer himself, by his own keys; no part of the other costs.';
comment on column business_vault.usage_daily.average_latency_ms is 'Average time to the end of the answer.';
comment on column business_vault.usage_daily.average_first_byte_ms is 'Average time to the first byte, of those timed.';
