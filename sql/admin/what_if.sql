-- Calls that differ in nothing but their length are decided once for each length of two significant digits, rounded up
-- as the road's own estimate is. What they used is counted to the last token.
create or replace function admin.fn_round_up(p_number bigint) returns bigint
language sql immutable parallel safe
return case
    when p_number < 100 then p_number
    else (
        ceil(p_number / power(10::numeric, floor(log(p_number)) - 1)) * power(10::numeric, floor(log(p_number)) - 1)
    )::bigint
end;

comment on function admin.fn_round_up(bigint) is 'The next number of two significant digits.';

create or replace function admin.what_if(p_from timestamptz, p_to timestamptz)
returns table (
    customer text, provider_then text, model_then text, provider_after text, model_after text, rule_after text,
    refused_because text, is_moved boolean, requests bigint, cost_then_usd numeric, cost_after_usd numeric,
    latency_then_ms numeric, latency_after_ms numeric, quality_then numeric, quality_after numeric
)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_asks_time boolean := exists (
        select from gateway.routing_rule_s as s
        where s.load_end_date is null and s.is_active and s.conditions::text ~ '"(hour|weekday)"'
    );
begin
    return query
    with traffic as materialized (
        select
            s.token_hk, s.offer_hk, min(s.request_timestamp) as at,
            s.decision -> 'asked' || jsonb_strip_nulls(jsonb_build_object(
                'prompt_tokens', admin.fn_round_up((s.decision #>> '{asked,prompt_tokens}')::bigint),
                'prompt_bytes', admin.fn_round_up((s.decision #>> '{asked,prompt_bytes}')::bigint)
            )) as asked,
            count(*) as requests, sum(s.customer_cost) as cost, sum(s.request_latency_ms)::numeric as latency_ms,
            sum(s.input_uncached_tokens) as input, sum(s.cache_read_tokens) as cache_read,
            sum(s.cache_write_tokens) as cache_write, sum(s.output_tokens) as output
        from gateway.api_request_s as s
        where
            s.api_request_hk >= util.fn_request_key_at(p_from) and s.api_request_hk < util.fn_request_key_at(p_to)
            and s.response_status = 'SUCCESS' and s.decision is not null
        group by
            s.token_hk, s.offer_hk, 4,
            case when v_asks_time then extract(isodow from s.request_timestamp) * 24 + extract(hour from s.request_timestamp) end
    ),

    decided as materialized (
        select t.*, p.customer_bk, p.markup_percent, c.choice
        from traffic as t
        inner join ops.principal as p on t.token_hk = p.token_hk
        cross join lateral (
            select gateway.fn_decide(
                p, gateway.fn_ask_again(t.asked), (t.asked ->> 'prompt_tokens')::bigint, t.at,
                hashtextextended(t.asked::text, 0), null, '{}'
            ) as choice
            offset 0
        ) as c
    ),

    priced as (
        select
            d.*, o.offer_hk as offer_after, w.provider_bk as provider_then, w.model_bk as model_then,
            w.quality_score as quality_then, (d.choice).provider_bk as provider_after,
            (d.choice).model_bk as model_after, o.quality_score as quality_after,
            r.rule_name::text as rule_after, (d.choice).refusal.message as refused_because,
            (
                d.input * o.input_usd_per_million + coalesce(d.cache_read, 0) * o.cache_read_usd_per_million
                + coalesce(d.cache_write, 0) * o.cache_write_usd_per_million + d.output * o.output_usd_per_million
            ) / 1000000 * (1 + d.markup_percent / 100) as cost_after,
            d.requests * q.first_byte_ms + d.output * q.ms_per_token as latency_after
        from decided as d
        left join ops.offer as o on o.version = ((d.choice).record #>> '{offers,0}')::bigint
        left join ops.offer_speed as q on o.offer_hk = q.offer_hk
        left join ops.rule as r on (d.choice).rule_hk = r.routing_rule_hk
        left join lateral (
            select l.provider_bk, l.model_bk, l.quality_score from ops.offer as l
            where l.offer_hk = d.offer_hk order by l.valid_from desc limit 1
        ) as w on true
    )

    select
        d.customer_bk, d.provider_then, d.model_then, d.provider_after, d.model_after, d.rule_after,
        max(d.refused_because), d.offer_hk is distinct from d.offer_after, sum(d.requests)::bigint,
        trim_scale(sum(d.cost)), trim_scale(round(sum(d.cost_after), 10)), round(sum(d.latency_ms) / sum(d.requests)),
        round((sum(d.latency_after) / sum(d.requests))::numeric), max(d.quality_then), max(d.quality_after)
    from priced as d
    group by
        d.customer_bk, d.provider_then, d.model_then, d.provider_after, d.model_after, d.rule_after, d.offer_hk,
        d.offer_after
    order by d.customer_bk, sum(d.requests) desc, d.provider_after, d.model_after;
end
$$;

comment on function admin.what_if(timestamptz, timestamptz) is
'Where the answered calls of a time would go, and what they would cost, by the rules, prices and customers that this
transaction sees: draft rules after BEGIN, ask, and ROLLBACK. From kept features, never content: a row for each customer,
where his calls went and where they would go. Latency is by speeds of now (NULL where nothing is measured); nobody rests.
Calls of tokens that are gone are left out.';
