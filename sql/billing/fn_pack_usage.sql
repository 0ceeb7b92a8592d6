-- Usage of a month and of the two before it, in which something may have come late: read once for all that a bill
-- asks of it, and for all customers of a tenant in one statement when months are closed.
create or replace function gateway.fn_pack_usage(p_customer text, p_month date, p_known_at timestamptz default null)
returns jsonb
language sql stable
set search_path = ''
as $$
select coalesce(jsonb_agg(to_jsonb(u)), '[]')
from gateway.fn_list_usage(
    p_customer, (p_month - interval '2 months')::date, (p_month + interval '1 month')::date, p_known_at
) as u
$$;

comment on function gateway.fn_pack_usage(text, date, timestamptz) is
'A customer''s usage of a month and of two months before it as JSON, now or as it was known.';

create or replace function gateway.fn_pack_usages(p_tenant text, p_month date) returns jsonb
language sql stable
set search_path = ''
set plan_cache_mode = force_custom_plan
as $$
select coalesce(jsonb_object_agg(c.customer, c.usage), '{}')
from (
    select b.customer, jsonb_agg(to_jsonb(b) - 'customer') as usage
    from (
        select
            u.customer, date_trunc('month', u.usage_day)::date as usage_month, u.provider, u.model,
            sum(u.request_count) as requests, sum(u.input_tokens) as input_tokens,
            sum(u.cache_read_tokens) as cache_read_tokens, sum(u.cache_write_tokens) as cache_write_tokens,
            sum(u.output_tokens) as output_tokens, sum(u.total_tokens) as total_tokens,
            sum(u.provider_cost_usd) as provider_cost_usd, sum(u.markup_usd) as markup_usd,
            sum(u.customer_cost_usd) as charge_usd, sum(u.own_key_cost_usd) as own_key_cost_usd
        from business_vault.usage_part as u
        where
            u.tenant = p_tenant and u.usage_day >= (p_month - interval '2 months')::date
            and u.usage_day < (p_month + interval '1 month')::date
            and u.usage_hour >= (p_month - interval '2 months')::timestamp at time zone 'UTC' - interval '1 day'
            and u.usage_hour < (p_month + interval '1 month')::timestamp at time zone 'UTC' + interval '1 day'
        group by u.customer, 2, u.provider, u.model
    ) as b
    group by b.customer
) as c
$$;

comment on function gateway.fn_pack_usages(text, date) is
'As fn_pack_usage for each customer of a tenant: {"customer": [...]}.';

create or replace function gateway.fn_unpack_usage(p_usage jsonb)
returns table (
    usage_month date, provider text, model text, requests bigint, input_tokens bigint, cache_read_tokens bigint,
    cache_write_tokens bigint, output_tokens bigint, total_tokens bigint, provider_cost_usd numeric, markup_usd numeric,
    charge_usd numeric, own_key_cost_usd numeric
)
language sql immutable
set search_path = ''
begin atomic
    select
        u.usage_month, u.provider, u.model, u.requests, u.input_tokens, u.cache_read_tokens, u.cache_write_tokens,
        u.output_tokens, u.total_tokens, u.provider_cost_usd, u.markup_usd, u.charge_usd, u.own_key_cost_usd
    from jsonb_to_recordset(p_usage) as u (
        usage_month date, provider text, model text, requests bigint, input_tokens bigint, cache_read_tokens bigint,
        cache_write_tokens bigint, output_tokens bigint, total_tokens bigint, provider_cost_usd numeric,
        markup_usd numeric, charge_usd numeric, own_key_cost_usd numeric
    );
end;

comment on function gateway.fn_unpack_usage(jsonb) is 'What fn_pack_usage packed, as rows.';
