create view business_vault.cost_analysis as
with spent as (
    select
        date_trunc('month', u.usage_day::timestamp)::date as usage_month,
        u.tenant,
        u.customer,
        u.provider,
        u.model,
        sum(u.request_count)::bigint as request_count,
        coalesce(sum(u.request_count) filter (where u.response_status <> 'SUCCESS'), 0)::bigint
        as unsuccessful_request_count,
        sum(u.input_tokens)::bigint as input_tokens,
        sum(u.cache_read_tokens)::bigint as cache_read_tokens,
        sum(u.cache_write_tokens)::bigint as cache_write_tokens,
        sum(u.output_tokens)::bigint as output_tokens,
        sum(u.total_tokens)::bigint as total_tokens,
        sum(u.provider_cost_usd) as provider_cost_usd,
        sum(u.markup_usd) as markup_usd,
        sum(u.customer_cost_usd) as customer_cost_usd,
        sum(u.house_loss_usd) as house_loss_usd,
        sum(u.own_key_cost_usd) as own_key_cost_usd
    from business_vault.usage_part as u
    group by date_trunc('month', u.usage_day::timestamp)::date, u.tenant, u.customer, u.provider, u.model
)

select
    s.*,
    round(100 * s.markup_usd / nullif(s.provider_cost_usd + s.own_key_cost_usd, 0), 2) as markup_percent,
    round(s.customer_cost_usd / nullif(s.request_count, 0), 10) as customer_cost_per_request_usd,
    round(1000000 * s.customer_cost_usd / nullif(s.total_tokens, 0), 4) as customer_cost_per_million_tokens_usd,
    round(
        100.0 * s.cache_read_tokens / nullif(s.input_tokens + s.cache_read_tokens + s.cache_write_tokens, 0), 2
    ) as cache_read_percent,
    round(
        100 * s.customer_cost_usd
        / nullif(sum(s.customer_cost_usd) over (partition by s.usage_month, s.tenant, s.customer), 0), 2
    ) as share_of_customer_percent
from spent as s;

comment on view business_vault.cost_analysis is
'Where the money goes: cost by month (tenant''s time zone), customer, provider and model, up to the last booked call.';
comment on column business_vault.cost_analysis.usage_month is 'First day of the month.';
comment on column business_vault.cost_analysis.tenant is 'Organisation of the customer.';
comment on column business_vault.cost_analysis.customer is 'Who called and pays.';
comment on column business_vault.cost_analysis.provider is
'Provider that answered; where none did, the last one tried.';
comment on column business_vault.cost_analysis.model is 'Model that answered.';
comment on column business_vault.cost_analysis.request_count is 'Requests.';
comment on column business_vault.cost_analysis.unsuccessful_request_count is
'Requests that ended otherwise than in a full answer.';
comment on column business_vault.cost_analysis.input_tokens is 'Input tokens that came from no cache.';
comment on column business_vault.cost_analysis.cache_read_tokens is 'Input tokens read from the provider''s cache.';
comment on column business_vault.cost_analysis.cache_write_tokens is 'Input tokens written to the provider''s cache.';
comment on column business_vault.cost_analysis.output_tokens is 'Output tokens, reasoning included.';
comment on column business_vault.cost_analysis.total_tokens is 'Input, cache, output and other tokens together.';
comment on column business_vault.cost_analysis.provider_cost_usd is 'What the providers ask for it.';
comment on column business_vault.cost_analysis.markup_usd is 'The gateway''s part of the charge.';
comment on column business_vault.cost_analysis.customer_cost_usd is 'What the customer pays: provider cost and markup.';
comment on column business_vault.cost_analysis.house_loss_usd is
'Cost above what was reserved, which nobody is charged.';
comment on column business_vault.cost_analysis.own_key_cost_usd is
'What providers ask the customer himself, by his own keys; no part of the other costs.';
comment on column business_vault.cost_analysis.markup_percent is
'Markup on what the providers ask, the house and the customer himself, as it came out.';
comment on column business_vault.cost_analysis.customer_cost_per_request_usd is
'What a request costs the customer on average.';
comment on column business_vault.cost_analysis.customer_cost_per_million_tokens_usd is
'What a million tokens cost the customer on average.';
comment on column business_vault.cost_analysis.cache_read_percent is 'Part of the input that came out of a cache.';
comment on column business_vault.cost_analysis.share_of_customer_percent is
'Part of what the customer pays in the month.';
