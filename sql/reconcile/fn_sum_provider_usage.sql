-- What a file says several times of the same thing (hours, projects) adds up. That a day had nothing is told by an
-- empty row, where nothing else is told of it.
create or replace function gateway.fn_sum_provider_usage(p_rows jsonb) returns jsonb
language sql stable
set search_path = ''
as $$
with given as materialized (
    select
        util.hash_key(
            h.provider_bk, r.usage_day::text, r.usage_kind, coalesce(r.model_name, ''), coalesce(r.provider_key_id, ''),
            coalesce(r.service_tier, '')
        ) as provider_usage_hk,
        h.provider_hk, h.provider_bk, r.usage_day, upper(btrim(r.usage_kind)) as usage_kind,
        coalesce(btrim(r.model_name), '') as model_name, coalesce(btrim(r.provider_key_id), '') as provider_key_id,
        lower(coalesce(btrim(r.service_tier), '')) as service_tier, coalesce(r.requests, 0) as requests,
        coalesce(r.input_uncached_tokens, 0) as input_uncached_tokens,
        coalesce(r.cache_read_tokens, 0) as cache_read_tokens, coalesce(r.cache_write_tokens, 0) as cache_write_tokens,
        coalesce(r.cache_write_1h_tokens, 0) as cache_write_1h_tokens, coalesce(r.output_tokens, 0) as output_tokens,
        nullif(r.other_usage, 'null') as other_usage, coalesce(r.cost_usd, 0) as cost_usd
    from jsonb_to_recordset(p_rows) as r (
        provider text, usage_day date, usage_kind text, model_name text, provider_key_id text, service_tier text,
        requests bigint, input_uncached_tokens bigint, cache_read_tokens bigint, cache_write_tokens bigint,
        cache_write_1h_tokens bigint, output_tokens bigint, other_usage jsonb, cost_usd numeric
    )
    inner join gateway.ai_provider_h as h on util.hash_key(r.provider) = h.provider_hk
),

others as (
    select m.provider_usage_hk, jsonb_object_agg(m.meter, trim_scale(m.units)) as other_usage
    from (
        select g.provider_usage_hk, e.key as meter, sum(e.value::numeric) as units
        from given as g
        cross join lateral jsonb_each_text(g.other_usage) as e
        group by g.provider_usage_hk, e.key
    ) as m
    where m.units <> 0
    group by m.provider_usage_hk
),

summed as (
    select
        g.provider_usage_hk, min(g.provider_hk) as provider_hk, min(g.provider_bk) as provider_bk,
        min(g.usage_day) as usage_day, min(g.usage_kind) as usage_kind, min(g.model_name) as model_name,
        min(g.provider_key_id) as provider_key_id, min(g.service_tier) as service_tier, sum(g.requests) as requests,
        sum(g.input_uncached_tokens) as input_uncached_tokens, sum(g.cache_read_tokens) as cache_read_tokens,
        sum(g.cache_write_tokens) as cache_write_tokens, sum(g.cache_write_1h_tokens) as cache_write_1h_tokens,
        sum(g.output_tokens) as output_tokens, trim_scale(sum(g.cost_usd)) as cost_usd
    from given as g
    group by g.provider_usage_hk
),

told as (
    select
        s.*, coalesce(o.other_usage, '{}') as other_usage,
        s.model_name || s.provider_key_id || s.service_tier = '' and s.cost_usd = 0 and o.other_usage is null
        and s.requests + s.input_uncached_tokens + s.cache_read_tokens + s.cache_write_tokens + s.cache_write_1h_tokens
        + s.output_tokens = 0 as is_empty,
        count(*) over (partition by s.provider_hk, s.usage_day, s.usage_kind) as rows_of_day
    from summed as s
    left join others as o on s.provider_usage_hk = o.provider_usage_hk
)

select coalesce(jsonb_agg(to_jsonb(t) - '{is_empty,rows_of_day}'::text[]), '[]')
from told as t
where t.rows_of_day = 1 or not t.is_empty;
$$;

comment on function gateway.fn_sum_provider_usage(jsonb) is
'Rows of an import as rows of provider_usage_h and provider_usage_s, each thing once.';
