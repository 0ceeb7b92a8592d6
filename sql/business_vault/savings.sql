-- Each request beside what it would have cost at the model it asked for, or at its tenant's baseline: the same tokens,
-- at prices known and in force when it came, with the customer's own markup. Of providers of the baseline the cheapest
-- counts, so that a saving is never made larger than it was.
drop view if exists business_vault.savings;
create view business_vault.savings as
select
    encode(s.api_request_hk, 'hex')::uuid as request_id,
    s.request_timestamp,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    p.provider_bk::text as provider,
    s.model_used::text as model,
    case when a.named is null then 'TENANT_BASELINE' else 'MODEL_ASKED' end as compared_with,
    o.provider as baseline_provider,
    o.model as baseline_model,
    s.input_uncached_tokens as input_tokens,
    s.cache_read_tokens,
    s.cache_write_tokens,
    s.output_tokens,
    o.input_usd_per_million as baseline_input_usd_per_million,
    o.cache_read_usd_per_million as baseline_cache_read_usd_per_million,
    o.cache_write_usd_per_million as baseline_cache_write_usd_per_million,
    o.output_usd_per_million as baseline_output_usd_per_million,
    s.markup_percent,
    o.baseline_cost_usd,
    s.customer_cost as customer_cost_usd,
    s.own_key_cost as own_key_cost_usd,
    o.baseline_cost_usd - s.customer_cost - s.own_key_cost as saved_usd
from gateway.api_request_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
inner join auth.tenant_h as n on s.tenant_hk = n.tenant_hk
inner join auth.tenant_s as ns
    on s.tenant_hk = ns.tenant_hk and s.request_timestamp >= ns.load_date
    and s.request_timestamp < coalesce(ns.load_end_date, 'infinity')
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
cross join lateral nullif(s.model_asked, substring(s.model_asked from '(?:^|.*/)auto$')) as a (named)
cross join lateral coalesce(a.named, ns.baseline_model) as b (name)
cross join lateral (
    with prices as (
        select
            bp.provider_bk::text as provider,
            m.model_bk::text as model,
            (array_agg(k.usd_per_million order by k.threshold_tokens desc, k.valid_from desc)
            filter (where k.meter = 'input'))[1] as input,
            (array_agg(k.usd_per_million order by k.threshold_tokens desc, k.valid_from desc)
            filter (where k.meter = 'output'))[1] as output,
            (array_agg(k.usd_per_million order by k.threshold_tokens desc, k.valid_from desc)
            filter (where k.meter = 'cache_read'))[1] as cache_read,
            (array_agg(k.usd_per_million order by k.threshold_tokens desc, k.valid_from desc)
            filter (where k.meter = 'cache_write'))[1] as cache_write
        from gateway.model_h as m
        inner join gateway.offer_l as l on m.model_hk = l.model_hk
        inner join gateway.ai_provider_h as bp on l.provider_hk = bp.provider_hk
        inner join gateway.offer_price_s as k on l.offer_hk = k.offer_hk
        where
            m.model_bk in (b.name, substr(b.name, position('/' in b.name) + 1))
            and b.name in (m.model_bk, bp.provider_bk || '/' || m.model_bk)
            and k.load_date <= s.request_timestamp and coalesce(k.load_end_date, 'infinity') > s.request_timestamp
            and k.valid_from <= s.request_timestamp and k.valid_to > s.request_timestamp
            and k.service_tier = 'standard' and k.mode = 'sync' and k.region = '' and k.variant = ''
            and k.threshold_tokens < greatest(s.prompt_tokens, 1)
        group by bp.provider_bk, m.model_bk
    ),

    whole as (
        select
            r.provider,
            r.model,
            r.input as input_usd_per_million,
            coalesce(r.cache_read, r.input) as cache_read_usd_per_million,
            coalesce(r.cache_write, r.input) as cache_write_usd_per_million,
            case when s.capability = 'chat' then r.output else coalesce(r.output, 0) end as output_usd_per_million
        from prices as r
    )

    select
        w.*,
        round(round((
            coalesce(s.input_uncached_tokens, 0) * w.input_usd_per_million
            + coalesce(s.cache_read_tokens, 0) * w.cache_read_usd_per_million
            + coalesce(s.cache_write_tokens, 0) * w.cache_write_usd_per_million
            + coalesce(s.output_tokens, 0) * w.output_usd_per_million
        ) / 1000000, 10) * (1 + s.markup_percent / 100), 10) as baseline_cost_usd
    from whole as w
    where w.input_usd_per_million is not null and w.output_usd_per_million is not null
    order by baseline_cost_usd, w.provider
    limit 1
) as o
where s.total_tokens > 0;

comment on view business_vault.savings is
'What each request cost beside what the same tokens would have cost at the model it asked for or, when it named none, at
the tenant''s baseline. Requests without either, or whose baseline had no price then, are not in it.';
comment on column business_vault.savings.request_id is 'The request''s id, as the customer got it.';
comment on column business_vault.savings.request_timestamp is 'When the request came.';
comment on column business_vault.savings.tenant is 'Organisation of the customer.';
comment on column business_vault.savings.customer is 'Who called and pays.';
comment on column business_vault.savings.provider is 'Provider that answered.';
comment on column business_vault.savings.model is 'Model that answered.';
comment on column business_vault.savings.compared_with is
'MODEL_ASKED, or TENANT_BASELINE when the call named no model.';
comment on column business_vault.savings.baseline_provider is
'Where the baseline would have run: of its providers the cheapest for these tokens.';
comment on column business_vault.savings.baseline_model is 'Model it is compared with.';
comment on column business_vault.savings.input_tokens is 'Input tokens that no cache held.';
comment on column business_vault.savings.cache_read_tokens is 'Input tokens read from the provider''s cache.';
comment on column business_vault.savings.cache_write_tokens is 'Input tokens written to the provider''s cache.';
comment on column business_vault.savings.output_tokens is 'Tokens of the answer, reasoning included.';
comment on column business_vault.savings.baseline_input_usd_per_million is 'The baseline''s price of input then.';
comment on column business_vault.savings.baseline_cache_read_usd_per_million is
'The baseline''s price of input read from a cache then; that of input where it had none.';
comment on column business_vault.savings.baseline_cache_write_usd_per_million is
'The baseline''s price of input written to a cache then; that of input where it had none.';
comment on column business_vault.savings.baseline_output_usd_per_million is 'The baseline''s price of output then.';
comment on column business_vault.savings.markup_percent is 'Markup of this request, which both costs bear.';
comment on column business_vault.savings.baseline_cost_usd is 'What these tokens would have cost the customer there.';
comment on column business_vault.savings.customer_cost_usd is 'What the customer was charged.';
comment on column business_vault.savings.own_key_cost_usd is
'What providers asked the customer himself, by his own keys.';
comment on column business_vault.savings.saved_usd is
'The baseline without the charge and what own keys cost; negative where it was dearer.';
