-- Each request beside what it would have cost at the model it asked for, or at its tenant's baseline: the same tokens,
-- at prices known and in force when it came, with the customer's own markup. Of providers of the baseline the cheapest
-- counts, so that a saving is never made larger than it was. Prices are looked up once for all requests of the same
-- name between two changes of the price book and two thresholds; the fence around those three makes them the key.
drop view if exists business_vault.savings;
create view business_vault.savings as
with book as materialized (
    select
        array_agg(distinct t.at order by t.at) as moments,
        array_agg(distinct k.threshold_tokens::bigint order by k.threshold_tokens::bigint) as thresholds
    from gateway.offer_price_s as k
    cross join lateral (
        values (k.load_date), (coalesce(k.load_end_date, 'infinity')), (k.valid_from), (k.valid_to)
    ) as t (at)
    where k.service_tier = 'standard' and k.mode = 'sync' and k.region = ''
),

customer as (
    select
        h.customer_hk, h.customer_bk::text as customer, n.tenant_bk::text as tenant,
        ns.baseline_model, ns.load_date, ns.load_end_date
    from gateway.customer_h as h
    inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
    inner join auth.tenant_s as ns on h.tenant_hk = ns.tenant_hk
    group by h.customer_hk, h.customer_bk, n.tenant_bk, ns.baseline_model, ns.load_date, ns.load_end_date
)

select
    s.request_id, s.request_timestamp, c.tenant, c.customer, p.provider_bk::text as provider,
    s.model_used::text as model,
    case when a.named is null then 'TENANT_BASELINE' else 'MODEL_ASKED' end as compared_with,
    w.provider as baseline_provider, w.model as baseline_model,
    s.input_uncached_tokens as input_tokens, s.cache_read_tokens, s.cache_write_tokens, s.output_tokens,
    w.input as baseline_input_usd_per_million, w.cache_read as baseline_cache_read_usd_per_million,
    w.cache_write as baseline_cache_write_usd_per_million,
    coalesce(w.output, case when s.capability <> 'chat' then 0 end) as baseline_output_usd_per_million,
    s.markup_percent, t.baseline_cost_usd, s.customer_cost as customer_cost_usd, s.own_key_cost as own_key_cost_usd,
    t.baseline_cost_usd - s.customer_cost - s.own_key_cost as saved_usd
from gateway.api_request_s as s
inner join customer as c on s.customer_hk = c.customer_hk and s.request_timestamp >= c.load_date
    and s.request_timestamp < coalesce(c.load_end_date, 'infinity')
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
cross join lateral (
    values (case when s.model_asked <> 'auto' and s.model_asked not like '%/auto' then s.model_asked end)
) as a (named)
cross join lateral (
    select
        coalesce(a.named, c.baseline_model) as name,
        (select g.moments from book as g)[width_bucket(s.request_timestamp, (select g.moments from book as g))] as at,
        (select g.thresholds from book as g)[
            width_bucket(greatest(s.prompt_tokens, 1) - 1, (select g.thresholds from book as g))
        ] as threshold
    from (values (0)) as f (fence)
    order by f.fence offset 0
) as b
cross join lateral (
    -- Of rows of a meter the last one counts: the highest threshold that was passed, the latest date.
    with rates as (
        select
            bp.provider_bk::text as provider, m.model_bk::text as model,
            jsonb_object_agg(
                concat_ws('/', k.meter, nullif(k.variant, '')), k.usd_per_million
                order by k.threshold_tokens, k.valid_from
            ) as rate
        from gateway.model_h as m
        inner join gateway.offer_l as l on m.model_hk = l.model_hk
        inner join gateway.ai_provider_h as bp on l.provider_hk = bp.provider_hk
        inner join gateway.offer_price_s as k on l.offer_hk = k.offer_hk
        where
            m.model_bk in (b.name, substr(b.name, position('/' in b.name) + 1))
            and b.name in (m.model_bk, bp.provider_bk || '/' || m.model_bk)
            and k.load_date <= b.at and coalesce(k.load_end_date, 'infinity') > b.at
            and k.valid_from <= b.at and k.valid_to > b.at
            and k.service_tier = 'standard' and k.mode = 'sync' and k.region = ''
            and k.threshold_tokens <= b.threshold
        group by bp.provider_bk, m.model_bk
    ),

    priced as (
        select
            r.provider, r.model, r.rate, (r.rate ->> 'input')::numeric as input,
            coalesce(r.rate ->> 'cache_read', r.rate ->> 'input')::numeric as cache_read,
            coalesce(r.rate ->> 'cache_write', r.rate ->> 'input')::numeric as cache_write,
            (r.rate ->> 'output')::numeric as output
        from rates as r
        where r.rate ? 'input'
    )

    select
        q.*, count(*) over () = 1 as is_alone, row_number() over (order by q.provider) as place,
        array_agg(q.rate) over u as rates, array_agg(q.input) over u as inputs, array_agg(q.output) over u as outputs,
        array_agg(q.cache_read) over u as cache_reads, array_agg(q.cache_write) over u as cache_writes
    from priced as q
    where b.name is not null
    window u as (order by q.provider rows between unbounded preceding and unbounded following)
) as w
-- The fence keeps what is reckoned once from being reckoned for each column.
cross join lateral (
    select gateway.fn_cost_baseline(
            s.input_uncached_tokens, s.cache_read_tokens, s.cache_write_tokens, s.output_tokens,
            gateway.fn_cost_extras(s.other_usage, w.rate), w.input, w.cache_read, w.cache_write,
            coalesce(w.output, case when s.capability <> 'chat' then 0 end), s.markup_percent
        ) as baseline_cost_usd
    from (values (0)) as f (fence)
    order by f.fence offset 0
) as t
where
    s.total_tokens > 0 and t.baseline_cost_usd is not null
    and (w.is_alone or not exists (
        select
        from unnest(w.rates, w.inputs, w.cache_reads, w.cache_writes, w.outputs) with ordinality as r (
            rate, input, cache_read, cache_write, output, place
        )
        cross join lateral (values (gateway.fn_cost_baseline(
            s.input_uncached_tokens, s.cache_read_tokens, s.cache_write_tokens, s.output_tokens,
            gateway.fn_cost_extras(s.other_usage, r.rate), r.input, r.cache_read, r.cache_write,
            coalesce(r.output, case when s.capability <> 'chat' then 0 end), s.markup_percent
        ))) as o (cost)
        where (o.cost, r.place) < (t.baseline_cost_usd, w.place)
    ));

comment on view business_vault.savings is
'What each request cost beside what the same tokens would have cost at the model it asked for or, when it named none, at
the tenant''s baseline. Requests without either, or whose baseline had no price then, are not in it.';
comment on column business_vault.savings.request_id is 'The request''s id, as the customer got it.';
comment on column business_vault.savings.request_timestamp is 'When the request came.';
comment on column business_vault.savings.tenant is 'Organisation of the customer.';
comment on column business_vault.savings.customer is 'Who called and pays.';
comment on column business_vault.savings.provider is 'Provider that answered.';
comment on column business_vault.savings.model is 'Model that answered.';
comment on column business_vault.savings.compared_with is 'MODEL_ASKED; TENANT_BASELINE when the call named no model.';
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
comment on column business_vault.savings.own_key_cost_usd is 'What providers asked the customer by his own keys.';
comment on column business_vault.savings.saved_usd is
'The baseline without the charge and what own keys cost; negative where it was dearer.';
