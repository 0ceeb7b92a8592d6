-- What ops.offer must hold, straight from the vault: an offer cut into periods in which neither a price of it changes
-- nor what it meets, and each of them into service tiers and ranges of input tokens. No part is materialised: who asks
-- for one offer has one offer computed.
drop view if exists ops.current_offer;
create view ops.current_offer as
with prices as not materialized (
    select p.offer_hk, p.valid_from, p.valid_to from gateway.offer_price_s as p where p.load_end_date is null
),

facts as not materialized (
    select f.offer_hk, f.valid_from, f.valid_to from gateway.offer_compliance_s as f where f.load_end_date is null
),

bounds as (
    select o.offer_hk, '-infinity'::timestamptz as bound from gateway.offer_l as o
    union
    select p.offer_hk, p.valid_from from prices as p
    union
    select p.offer_hk, p.valid_to from prices as p where p.valid_to <> 'infinity'
    union
    select f.offer_hk, f.valid_from from facts as f
    union
    select f.offer_hk, f.valid_to from facts as f where f.valid_to <> 'infinity'
),

periods as not materialized (
    select
        b.offer_hk, b.bound as valid_from,
        lead(b.bound, 1, 'infinity') over (partition by b.offer_hk order by b.bound) as valid_to
    from bounds as b
),

priced as (
    select d.offer_hk, d.valid_from, d.valid_to, r.*
    from periods as d
    inner join gateway.offer_l as l on d.offer_hk = l.offer_hk
    inner join gateway.ai_provider_s as ps on l.provider_hk = ps.provider_hk and ps.load_end_date is null
    cross join lateral ops.fn_list_rates(d.offer_hk, d.valid_from, lower(ps.adapter_settings ->> 'region')) as r
),

facts_and_words as (
    select distinct on (d.offer_hk, d.valid_from, u.level) d.offer_hk, d.valid_from, u.level, u.is_met
    from periods as d
    inner join gateway.offer_l as l on d.offer_hk = l.offer_hk
    inner join gateway.ai_provider_s as ps on l.provider_hk = ps.provider_hk and ps.load_end_date is null
    cross join lateral (
        select f.compliance_level::text as level, f.is_met, f.valid_from
        from gateway.offer_compliance_s as f
        where
            f.offer_hk = d.offer_hk and f.load_end_date is null
            and f.valid_from <= d.valid_from and f.valid_to > d.valid_from
        union all
        select p.level, true, null from unnest(ps.compliance_levels) as p (level)
    ) as u
    -- A fact about an offer lies over what its provider says of all.
    order by d.offer_hk, d.valid_from, u.level, u.valid_from desc nulls last
),

levels as (
    select w.offer_hk, w.valid_from, array_agg(w.level order by w.level) as levels
    from facts_and_words as w
    where w.is_met
    group by w.offer_hk, w.valid_from
),

offers as (
    select
        l.offer_hk, d.valid_from, d.valid_to, l.provider_hk, ph.provider_bk::text as provider_bk, l.model_hk,
        mh.model_bk::text as model_bk, ps.adapter_kind::text as adapter_kind, ps.api_endpoint, ps.adapter_settings,
        ps.first_byte_timeout_ms, os.upstream_model::text as upstream_model, os.context_tokens, os.capabilities,
        os.surfaces, os.features || ops.fn_name_grammars(ps.adapter_kind, ps.adapter_settings) as features,
        least(os.max_output_tokens, ps.max_tokens_per_request) as max_output_tokens, os.context_is_price_limit,
        least(os.default_output_tokens, os.max_output_tokens, ps.max_tokens_per_request) as default_output_tokens,
        coalesce(os.quality_score, ps.quality_score) as quality_score,
        coalesce(os.quality_by_type || oq.quality_by_type, os.quality_by_type, oq.quality_by_type) as quality_by_type,
        coalesce(m.levels, '{}') as compliance_levels,
        k.key_hks[1] as provider_key_hk, k.key_hks[2:] as spare_key_hks, c.input as input_usd_per_million,
        coalesce((d.held ->> 'cache_read')::numeric, c.input) as cache_read_usd_per_million,
        coalesce((d.held ->> 'cache_write')::numeric, c.input) as cache_write_usd_per_million,
        c.output as output_usd_per_million, d.other_usd_per_million, d.service_tier, d.above_tokens,
        d.further_prices || jsonb_strip_nulls(jsonb_build_object('bytes_per_token', nullif(us.bytes_per_token, 4)))
            as further_prices,
        d.up_to_tokens, d.service_tiers, coalesce(os.owner_hk, ps.owner_hk) as owner_hk,
        ps.owner_hk is not null as is_guarded, ps.adapter_kind = 'sandbox' as is_sandbox,
        coalesce(us.prompt_factor, 1) as prompt_factor, us.usual_output,
        ops.fn_most_inputs(ps.adapter_kind, os.capabilities, os.max_inputs) as max_inputs,
        case
            when not ps.is_active then 'provider_inactive'
            when not os.is_active then 'offer_inactive'
            when ps.needs_key and k.key_hks is null then 'no_key'
            when c.input is null or c.output is null then 'no_price'
        end as unroutable_because
    from gateway.offer_l as l
    inner join gateway.offer_s as os on l.offer_hk = os.offer_hk and os.load_end_date is null
    inner join gateway.ai_provider_h as ph on l.provider_hk = ph.provider_hk
    inner join gateway.ai_provider_s as ps on l.provider_hk = ps.provider_hk and ps.load_end_date is null
    inner join gateway.model_h as mh on l.model_hk = mh.model_hk
    inner join priced as d on l.offer_hk = d.offer_hk
    left join gateway.offer_quality_s as oq on l.offer_hk = oq.offer_hk and oq.load_end_date is null
    cross join lateral (
        -- Vectors and ranks are no output, and pictures and searches may be priced by the piece and by nothing else.
        select
            coalesce((d.held ->> 'input')::numeric, case when g.is_picture or g.is_search then 0 end) as input,
            coalesce((d.held ->> 'output')::numeric, case when g.is_picture or g.is_silent then 0 end) as output
        from (
            select os.capabilities <@ '{embedding,rerank}' as is_silent,
                os.capabilities <@ '{rerank}' and d.held ? 'search' as is_search, os.capabilities <@ '{image}'
                and d.held @? '$.keyvalue() ? (@.key like_regex "^(image(/|$)|output_image$)")' as is_picture
        ) as g
    ) as c
    left join gateway.offer_usage_s as us on l.offer_hk = us.offer_hk and us.load_end_date is null
    left join lateral (
        select array_agg(h.provider_key_hk order by coalesce(y.set_at, y.load_date) desc, h.provider_key_bk) as key_hks
        from gateway.ai_provider_key_h as h
        inner join gateway.ai_provider_key_s as y
            on h.provider_key_hk = y.provider_key_hk and y.load_end_date is null and y.key_status = 'ACTIVE'
        where h.provider_hk = l.provider_hk
    ) as k on true
    left join levels as m on d.offer_hk = m.offer_hk and d.valid_from = m.valid_from
)

select
    o.offer_hk, o.valid_from, o.valid_to, o.provider_hk, o.provider_bk, o.model_hk, o.model_bk, o.adapter_kind,
    o.api_endpoint, o.adapter_settings, o.first_byte_timeout_ms, o.upstream_model, o.capabilities, o.features,
    o.context_tokens, o.context_is_price_limit, o.max_output_tokens, o.default_output_tokens, o.quality_score,
    o.quality_by_type, o.compliance_levels, o.provider_key_hk, o.input_usd_per_million, o.cache_read_usd_per_million,
    o.cache_write_usd_per_million, o.output_usd_per_million, o.is_sandbox, o.unroutable_because,
    o.prompt_factor, o.usual_output, o.service_tier, o.above_tokens, o.up_to_tokens, o.service_tiers,
    o.other_usd_per_million, o.owner_hk, o.max_inputs, o.surfaces,
    jsonb_build_object(
        'offer', encode(o.offer_hk, 'hex'), 'provider', o.provider_bk, 'kind', o.adapter_kind,
        'endpoint', o.api_endpoint, 'model', o.model_bk, 'upstream_model', o.upstream_model,
        'key', encode(o.provider_key_hk, 'hex'), 'max_output_tokens', o.max_output_tokens,
        'first_byte_timeout_ms', o.first_byte_timeout_ms, 'settings', o.adapter_settings
    ) || case when o.is_guarded then '{"guarded": true}'::jsonb else '{}' end
    || case when cardinality(o.spare_key_hks) > 0 then jsonb_build_object('spare_keys', (
        select jsonb_agg(encode(s.key_hk, 'hex') order by s.place)
        from unnest(o.spare_key_hks) with ordinality as s (key_hk, place)
    )) else '{}'::jsonb end as candidate,
    jsonb_build_object(
        'offer', encode(o.offer_hk, 'hex'), 'provider_hk', encode(o.provider_hk, 'hex'), 'provider', o.provider_bk,
        'model', o.model_bk, 'input', o.input_usd_per_million, 'cache_read', o.cache_read_usd_per_million,
        'cache_write', o.cache_write_usd_per_million, 'output', o.output_usd_per_million
    ) || o.further_prices
    || case when o.compliance_levels = '{}' then '{}'::jsonb else jsonb_build_object('levels', o.compliance_levels) end
    as prices
from offers as o;

comment on view ops.current_offer is
'The source of ops.offer: each offer by periods, service tiers and ranges of input tokens; why, if it is unroutable.';
