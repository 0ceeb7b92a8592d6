-- Behind a difference are first the requests of which nobody knows for certain what they used; where there is none of
-- them, it may be any. One that is behind several (of its key and, where costs have no keys, of all) is there once.
-- Days are told apart by the attempts' own, so that a day that is asked for reaches them.
create view ops.reconciliation_request as
select
    p.provider_bk::text as provider, r.usage_day, r.model, r.key_name,
    encode(r.api_request_hk, 'hex')::uuid as request_id, n.tenant_bk::text as tenant,
    c.customer_bk::text as customer, r.attempt_number, r.outcome::text as outcome,
    r.error_class::text as error_class, r.usage_source::text as usage_source, r.input_uncached_tokens,
    r.cache_read_tokens, r.cache_write_tokens, r.output_tokens, trim_scale(r.provider_cost) as provider_cost_usd,
    r.is_uncertain
from (
    select distinct on (b.usage_day, b.api_request_hk, b.customer_hk, b.attempt_number) b.*
    from (
        select
            d.model, d.key_name, t.*, bool_or(t.is_uncertain) over (
                partition by t.usage_day, d.provider, d.model_match, d.key_match
            ) as any_is_uncertain
        from (
            select distinct x.provider, x.usage_day, x.model, x.key_name, x.model_match, x.key_match
            from ops.reconciliation as x
            where not x.is_within_tolerance
        ) as d
        inner join gateway.ai_provider_h as h on d.provider = h.provider_bk
        inner join ops.billable_attempt as t on d.usage_day = t.usage_day and h.provider_hk = t.provider_hk
        left join lateral (
            select ops.fn_name_usage_model(s.upstream_model) as model_match
            from gateway.offer_s as s
            where s.offer_hk = t.offer_hk
            order by s.load_date desc
            limit 1
        ) as o on true
        where
            (d.model_match is null or d.model_match = o.model_match)
            and (d.key_match is null or d.key_match = coalesce(encode(t.provider_key_hk, 'hex'), ''))
    ) as b
    where b.is_uncertain or not b.any_is_uncertain
    order by b.usage_day, b.api_request_hk, b.customer_hk, b.attempt_number, b.model nulls last, b.key_name nulls last
) as r
inner join gateway.ai_provider_h as p on r.provider_hk = p.provider_hk
inner join gateway.customer_h as c on r.customer_hk = c.customer_hk
inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk;

comment on view ops.reconciliation_request is
'Requests that may be behind a difference of ops.reconciliation: those whose usage is not certain (estimated, told in
part, unknown, lost, outrun), else all of that day, model and key.';
comment on column ops.reconciliation_request.is_uncertain is
'Whether what it used is not known for certain; false where there is nothing to go by.';
