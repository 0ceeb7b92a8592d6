-- Calls that differ in nothing but their length are decided once for each length of two significant digits, rounded up
-- as the road's own estimate is; so are those of customers in whom no rule sees a difference. What they used is counted
-- to the last token.
create or replace function admin.fn_round_up(p_number bigint) returns bigint
language sql immutable parallel safe
return case
    when p_number < 100 then p_number
    else (p_number + (10 ^ (length(p_number::text) - 2))::bigint - 1)
        / (10 ^ (length(p_number::text) - 2))::bigint * (10 ^ (length(p_number::text) - 2))::bigint
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
    if coalesce(p_from >= p_to, true) then
        perform admin.fn_refuse_change(
            400, 'time_has_a_beginning_before_its_end', 'This is no time in which calls could have been made',
            'Write it like admin.what_if(now() - interval ''30 days'', now()).'
        );
    end if;
    return query
    with profiles as materialized (
        select f.principal, (f.principal).token_hk, dense_rank() over (order by f.profile) as number
        from admin.fn_list_profiles() as f
    ),

    traffic as materialized (
        select
            (p.principal).customer_bk, (p.principal).markup_percent, p.number, s.offer_hk, min(s.token_hk) as token_hk,
            min(s.request_timestamp) as at, s.decision -> 'asked' || jsonb_build_object(
                'prompt_tokens', admin.fn_round_up((s.decision #>> '{asked,prompt_tokens}')::bigint),
                'prompt_bytes', admin.fn_round_up((s.decision #>> '{asked,prompt_bytes}')::bigint)
            ) as asked,
            case when v_asks_time then date_part('isodow', s.request_timestamp) * 24 + date_part('hour', s.request_timestamp) end
                as hour_of_week,
            gateway.fn_reach_tier((p.principal).charge_rules, (s.decision #>> '{seen,month_usd}')::numeric) as month_usd,
            count(*) as requests, sum(s.customer_cost) as cost, sum(s.request_latency_ms)::numeric as latency_ms,
            sum(s.input_uncached_tokens) as input, sum(s.cache_read_tokens) as cache_read,
            sum(s.cache_write_tokens) as cache_write, sum(s.output_tokens) as output
        from gateway.api_request_s as s
        inner join profiles as p on s.token_hk = p.token_hk
        where
            s.api_request_hk >= util.fn_request_key_at(greatest(p_from, 'epoch'))
            and s.api_request_hk < util.fn_request_key_at(least(p_to, '9999-01-01 00:00+00'))
            and s.response_status = 'SUCCESS' and s.decision is not null
        group by 1, 2, 3, 4, 7, 8, 9
    ),

    questions as materialized (
        select t.number, t.asked, t.hour_of_week, min(t.at) as at, min(t.token_hk) as token_hk
        from traffic as t
        group by t.number, t.asked, t.hour_of_week
    ),

    choices as materialized (
        select q.*, (p.principal).charge_rules, gateway.fn_decide(
            p.principal, gateway.fn_ask_again(q.asked), (q.asked ->> 'prompt_tokens')::bigint, q.at,
            hashtextextended(q.asked::text, 0), null, '{}'
        ) as choice
        from questions as q
        inner join profiles as p on q.token_hk = p.token_hk
    ),

    answers as materialized (
        select
            c.number, c.asked, c.hour_of_week, o.offer_hk, (c.choice).provider_bk, (c.choice).model_bk,
            o.quality_score, r.rule_name::text as rule_name, (c.choice).refusal.message, o.prices, o.service_tier,
            v.first_byte_ms, v.ms_per_token, c.charge_rules, c.at
        from choices as c
        left join ops.offer as o on o.version = ((c.choice).record #>> '{offers,0}')::bigint
        left join ops.offer_speed as v on o.offer_hk = v.offer_hk
        left join ops.rule as r on (c.choice).rule_hk = r.routing_rule_hk
    ),

    priced as (
        select
            t.customer_bk, t.offer_hk, t.requests, t.cost, t.latency_ms, w.provider_bk as provider_then,
            w.model_bk as model_then, w.quality_score as quality_then, a.offer_hk as offer_after,
            a.provider_bk as provider_after, a.model_bk as model_after, a.quality_score as quality_after,
            a.rule_name as rule_after, a.message as refused_because,
            case when a.charge_rules is null then (
                t.input * gateway.fn_find_price(p.rate, 'input')
                + coalesce(t.cache_read, 0) * gateway.fn_find_price(p.rate, 'cache_read')
                + coalesce(t.cache_write, 0) * gateway.fn_find_price(p.rate, 'cache_write')
                + t.output * gateway.fn_find_price(p.rate, 'output')
            ) * 0.000001 * (1 + t.markup_percent / 100) when a.prices is not null then gateway.fn_charge_again(
                a.charge_rules, t.month_usd, a.at, a.provider_bk, a.model_bk, p.rate, t.markup_percent, t.requests,
                jsonb_strip_nulls(jsonb_build_object(
                    'input', t.input, 'cache_read', t.cache_read, 'cache_write', t.cache_write, 'output', t.output
                ))
            ) end as cost_after,
            t.requests * a.first_byte_ms + t.output * a.ms_per_token as latency_after
        from traffic as t
        inner join answers as a
            on t.number = a.number and t.asked = a.asked and t.hour_of_week is not distinct from a.hour_of_week
        -- They are alike, so their mean says which side of a threshold they are on.
        cross join lateral (
            select gateway.fn_find_rate(
                a.prices, a.service_tier,
                ((t.input + coalesce(t.cache_read, 0) + coalesce(t.cache_write, 0)) / t.requests)::bigint
            ) as rate
        ) as p
        left join lateral (
            select l.provider_bk, l.model_bk, l.quality_score from ops.offer as l
            where l.offer_hk = t.offer_hk order by l.valid_from desc, l.service_tier = 'standard' desc, l.above_tokens limit 1
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
transaction sees: draft rules after BEGIN, ask, and ROLLBACK. From kept features, never content: a row for each
customer, where his calls went and where they would go. Latency is by speeds of now (NULL where nothing is measured);
nobody rests. Volume tiers of prices are those that were reached then. Calls of tokens that are gone are left out.';
