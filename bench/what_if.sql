-- What a month of traffic would have cost under a draft: 100,000 booked calls of 50 customers. Run it with
--     onevault psql -- -v calls=100000 -f bench/what_if.sql
-- on a database that nobody else uses; everything is rolled back.
\set QUIET on
\pset format unaligned
\pset tuples_only on
begin;
update admin.routing_rule set is_active = false where true;
update admin.model set is_active = false where is_active;
insert into admin.provider (provider, adapter_kind, api_endpoint, needs_key)
select 'bench-' || n, 'openai', 'http://127.0.0.1:9/v1', false from generate_series(1, 12) as n;
insert into admin.model (provider, model, quality_score)
select 'bench-' || p, 'bench-model-' || m, 10 * m from generate_series(1, 12) as p, generate_series(1, 5) as m;
insert into admin.price (provider, model, meter, usd_per_million)
select 'bench-' || p, 'bench-model-' || m, meter, (p * m)::numeric / 10
from generate_series(1, 12) as p, generate_series(1, 5) as m, unnest('{input,output}'::text[]) as meter;
insert into admin.customer (customer, tenant, priority_tier)
select 'bench-customer-' || n, 'default', 'STANDARD' from generate_series(1, 50) as n;
select count(t.token_id) from generate_series(1, 50) as n
cross join lateral admin.sp_issue_token('bench-customer-' || n, sha256(convert_to('bench ' || n, 'UTF8')), 'x', '\x00') as t \g /dev/null

insert into gateway.api_request_s (
    api_request_hk, load_date, hash_diff, customer_hk, tenant_hk, token_hk, provider_hk, offer_hk, request_timestamp,
    request_type, capability, surface, is_streamed, priority_tier, model_used, prompt_tokens, completion_tokens, total_tokens,
    input_uncached_tokens, output_tokens, usage_source, request_latency_ms, attempt_count, reserved_cost, provider_cost,
    gateway_markup, customer_cost, markup_percent, route_reason, response_status, decision, record_source, request_id
)
select
    uuid_send(k.id), c.at, '\x00', p.customer_hk, p.tenant_hk, p.token_hk, o.provider_hk, o.offer_hk, c.at,
    c.kind, 'chat', 'chat', c.streamed, 'STANDARD', o.model_bk, c.tokens / 2, c.output, c.tokens / 2 + c.output, c.tokens / 2,
    c.output, 'provider_final', 900, 1, 1, 0.001, 0.0002, 0.0012, 20, 'no rule', 'SUCCESS',
    jsonb_build_object('epoch', 1, 'principal', p.version, 'seed', c.n, 'offers', '[1]'::jsonb, 'seen', '{}'::jsonb, 'asked',
        jsonb_strip_nulls(jsonb_build_object('request_type', c.kind, 'capability', 'chat', 'surface', 'chat', 'stream', nullif(c.streamed, false),
            'prompt_tokens', c.tokens, 'prompt_bytes', c.tokens * 2, 'max_output_tokens', c.most))),
    'bench', k.id
from (
    select
        n, 1 + n % 50 as customer, now() - random() * interval '29 days' as at, (array['chat', 'summary', 'report', 'code'])[1 + (random() * 3)::integer] as kind,
        random() < 0.5 as streamed, (20 * exp(random() * 7))::bigint as tokens, (10 * exp(random() * 4))::bigint as output,
        (array[256, 1024, 4096])[1 + (random() * 2)::integer] as most
    from generate_series(1, :calls) as n
) as c
cross join lateral (select uuidv7(c.at - clock_timestamp()) as id) as k
inner join ops.principal as p on p.customer_bk = 'bench-customer-' || c.customer
inner join ops.offer as o on o.provider_bk = 'bench-1' and o.model_bk = 'bench-model-3';
analyze gateway.api_request_s;
insert into admin.routing_rule (rule_name, conditions, quality_optimization) values ('best reports', '{"request_type": "report"}', true);

select clock_timestamp() as begun \gset
create temporary table told as select * from admin.what_if(now() - interval '30 days', now());
select format('what_if over %s calls: %s s, %s calls move', sum(t.requests), round(extract(epoch from clock_timestamp() - :'begun')::numeric, 1),
    sum(t.requests) filter (where t.is_moved))
from told as t;
rollback;
