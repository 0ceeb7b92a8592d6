-- The requests of some hours, at most a day, as the road would have left them: hub, satellite, attempts, a few scores.
-- More of them come at noon. Costs follow from usage, prices and markup to the last digit.
with drawn as (
    select
        least(
            %(from)s + (%(to)s - %(from)s) * (d.x + 0.12 * sin(2 * pi() * d.x)), %(to)s - interval '5 milliseconds'
        ) as at,
        least(1 + width_bucket(random(), z.callers), cardinality(z.callers)) as rank,
        width_bucket(random(), z.offers) as favourite, random() as r_token, random() as r_type, random() as r_stream,
        random() as r_named, random() as r_cache, random() as r_end, random() as r_retry, random() as r_latency,
        (200 * exp(4 * random()))::bigint as prompt, (20 * exp(4 * random()))::bigint as output
    from (select (n - 1 + random()) / %(requests)s as x from generate_series(1, %(requests)s) as n) as d
    cross join zipf as z
),

ended as (
    select
        d.*, uuidv7(d.at - clock_timestamp()) as id, c.customer_hk, c.tenant_hk, c.markup_percent, c.priority_tier, c.compliance,
        c.token_hks[1 + floor(d.r_token * cardinality(c.token_hks))::integer] as token_hk,
        c.versions[1 + floor(d.r_token * cardinality(c.versions))::integer] as principal,
        case when d.r_type < 0.8 then c.own_type else 'chat' end as request_type,
        (c.rank + d.favourite) %% 12 as place, (c.rank + d.favourite + 5) %% 12 as other_place,
        (80 + 8000 * d.r_latency ^ 3)::integer as latency_ms,
        case
            when d.r_end < 0.965 then 'SUCCESS' when d.r_end < 0.98 then 'ERROR' when d.r_end < 0.984 then 'TIMEOUT'
            when d.r_end < 0.994 then 'CANCELLED' when d.r_end < 0.998 then 'VOIDED' else 'UNKNOWN'
        end as status,
        case when d.r_end >= 0.994 and d.r_end < 0.998 then 0 when d.r_retry < 0.04 then 2 else 1 end as attempts,
        case when d.r_cache < 0.3 then d.prompt * 6 / 10 else 0 end as cache_read,
        case when d.r_cache < 0.1 then d.prompt / 5 else 0 end as cache_write
    from drawn as d
    inner join caller as c on d.rank = c.rank
),

priced as (
    select
        e.*, e.status in ('SUCCESS', 'CANCELLED') as is_charged, o.offer_hk, o.provider_hk, o.provider_bk, o.model_bk,
        o.version, o.input as input_price, o.cache_read as cache_read_price, o.cache_write as cache_write_price,
        o.output as output_price, f.offer_hk as first_offer_hk, f.provider_hk as first_provider_hk,
        f.provider_bk as first_provider_bk, f.version as first_version, f.input as first_input_price,
        f.cache_read as first_cache_read_price, f.cache_write as first_cache_write_price, f.output as first_output_price,
        case e.status
            when 'ERROR' then case when e.r_latency < 0.1 then 'content_policy' else 'server_error' end
            when 'TIMEOUT' then 'timeout' when 'CANCELLED' then 'client_gone' when 'UNKNOWN' then 'worker_lost'
        end as error_class,
        case when e.status in ('SUCCESS', 'CANCELLED') then round((
            (e.prompt - e.cache_read - e.cache_write) * o.input + e.cache_read * o.cache_read
            + e.cache_write * o.cache_write + e.output * o.output
        ) / 1000000, 10) else 0 end as provider_cost,
        round((e.prompt * o.cache_write * 1.3 + greatest(e.output, 1024) * o.output) / 1000000, 10) as most
    from ended as e
    inner join offer as o on e.place = o.place
    inner join offer as f on case when e.attempts = 2 then e.other_place else e.place end = f.place
),

fact as materialized (
    select
        p.*, uuid_send(p.id) as hk, p.at + make_interval(secs => (p.latency_ms + 15) / 1000.0) as booked_at,
        round(p.provider_cost * (1 + p.markup_percent / 100), 10) as customer_cost,
        round(p.most * (1 + p.markup_percent / 100), 10) as reserved_cost
    from priced as p
),

hubs as (
    insert into gateway.api_request_h (api_request_hk, api_request_bk, customer_hk, provider_hk, load_date, record_source)
    select f.hk, f.id::text, f.customer_hk, f.first_provider_hk, f.at, 'gateway' from fact as f
),

satellites as (
    insert into gateway.api_request_s (
        api_request_hk, load_date, hash_diff, customer_hk, tenant_hk, token_hk, provider_hk, offer_hk, request_timestamp,
        request_type, capability, surface, is_streamed, priority_tier, model_asked, model_used, prompt_tokens,
        completion_tokens, total_tokens, input_uncached_tokens, cache_read_tokens, cache_write_tokens, output_tokens,
        usage_source, request_latency_ms, first_byte_ms, attempt_count, reserved_cost, provider_cost, gateway_markup,
        customer_cost, markup_percent, route_reason, rule_hk, request_ip, user_agent, response_status, error_class,
        error_message, compliance_flags, compliance_met, provider_chosen, attempted_providers, attempt_outcomes, decision,
        record_source, request_id
    )
    select
        f.hk, f.booked_at, sha256(f.hk), f.customer_hk, f.tenant_hk, f.token_hk, f.provider_hk, f.offer_hk, f.at,
        f.request_type, 'chat', 'chat', f.r_stream < 0.6, f.priority_tier, case when f.r_named < 0.7 then f.model_bk end,
        f.model_bk, u.prompt, u.output, u.prompt + u.output, u.prompt - u.cache_read - u.cache_write, u.cache_read,
        u.cache_write, u.output, case f.status when 'SUCCESS' then 'provider_final' when 'CANCELLED' then 'provider_partial' end,
        case when f.attempts > 0 then f.latency_ms end, case when f.is_charged then f.latency_ms / 4 end, f.attempts,
        f.reserved_cost, f.provider_cost, f.customer_cost - f.provider_cost, f.customer_cost, f.markup_percent,
        case when f.r_named < 0.7 then 'default: the model that was asked for' else 'default: cheapest of 12' end,
        util.hash_key('default'), '203.0.113.0', 'openai-python/1.109.1', f.status, f.error_class,
        gateway.fn_explain_error(f.error_class), f.compliance, f.compliance, case when n.is_noted then f.first_provider_bk end,
        case when n.is_noted then (array[f.first_provider_bk, f.provider_bk])[3 - f.attempts:] end,
        case when n.is_noted then (array['overloaded', coalesce(f.error_class, f.status)])[3 - f.attempts:] end,
        jsonb_build_object(
            'epoch', 1, 'principal', f.principal, 'seed', hashtextextended(f.id::text, 0),
            'offers', jsonb_build_array(f.first_version, f.version), 'seen', '{}'::jsonb,
            'asked', jsonb_strip_nulls(jsonb_build_object(
                'request_type', f.request_type, 'capability', 'chat', 'surface', 'chat',
                'model', case when f.r_named < 0.7 then f.model_bk end, 'stream', nullif(f.r_stream < 0.6, false),
                'prompt_bytes', f.prompt * 4, 'prompt_tokens', f.prompt * 13 / 10, 'max_output_tokens', 1024
            ))
        ), 'gateway', f.id
    from fact as f
    cross join lateral (values (f.status <> 'SUCCESS' or f.attempts <> 1)) as n (is_noted)
    left join lateral (select f.prompt, f.output, f.cache_read, f.cache_write) as u on f.is_charged
),

attempts as (
    insert into gateway.api_request_attempt_s (
        api_request_hk, customer_hk, attempt_number, load_date, hash_diff, offer_hk, provider_hk, outcome, error_class,
        http_status, latency_ms, first_byte_ms, output_bytes, finish_reason, input_uncached_tokens, cache_read_tokens,
        cache_write_tokens, output_tokens, usage_source, raw_usage, input_usd_per_million, cache_read_usd_per_million,
        cache_write_usd_per_million, output_usd_per_million, provider_cost, is_charged, record_source,
        compliance_required, compliance_met
    )
    select
        f.hk, f.customer_hk, k, f.booked_at, sha256(f.hk || '\x01'), case when a.is_last then f.offer_hk else f.first_offer_hk end,
        case when a.is_last then f.provider_hk else f.first_provider_hk end,
        case when a.is_last then f.status else 'ERROR' end, case when a.is_last then f.error_class else 'overloaded' end,
        case when not a.is_last then 503 when f.is_charged then 200 when f.status = 'ERROR' then 500 end,
        case when a.is_last then f.latency_ms - 10 else 10 end, case when a.is_charged then f.latency_ms / 4 end,
        case when a.is_charged then f.output * 4 else 0 end, case when a.is_last and f.status = 'SUCCESS' then 'stop' end,
        u.prompt - u.cache_read - u.cache_write, u.cache_read, u.cache_write, u.output,
        case when a.is_charged then case f.status when 'SUCCESS' then 'provider_final' else 'provider_partial' end end,
        case when a.is_charged then jsonb_build_object(
            'prompt_tokens', u.prompt, 'completion_tokens', u.output, 'total_tokens', u.prompt + u.output,
            'prompt_tokens_details', jsonb_build_object('cached_tokens', u.cache_read)
        ) end,
        case when a.is_last then f.input_price else f.first_input_price end,
        case when a.is_last then f.cache_read_price else f.first_cache_read_price end,
        case when a.is_last then f.cache_write_price else f.first_cache_write_price end,
        case when a.is_last then f.output_price else f.first_output_price end,
        case when a.is_charged then f.provider_cost else 0 end, a.is_charged, 'gateway', f.compliance, f.compliance
    from fact as f
    cross join lateral generate_series(1, f.attempts) as k
    cross join lateral (select k = f.attempts as is_last, k = f.attempts and f.is_charged as is_charged) as a
    left join lateral (select f.prompt, f.output, f.cache_read, f.cache_write) as u on a.is_charged
)

insert into gateway.api_request_feedback_s (
    api_request_hk, customer_hk, load_date, hash_diff, offer_hk, request_type, score, record_source
)
select
    f.hk, f.customer_hk, f.booked_at + interval '1 minute', sha256(f.hk || '\x02'), f.offer_hk, f.request_type,
    round(random()::numeric, 1), 'customer'
from fact as f
where f.status = 'SUCCESS' and f.r_retry > 0.99
