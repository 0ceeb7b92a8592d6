-- A receipt, told again from the books.
create or replace function gateway.fn_list_units(p_other jsonb) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_object_agg(o.key, o.value -> 'units') from jsonb_each(p_other) as o;
end;

comment on function gateway.fn_list_units(jsonb) is
'Booked usage by further meters without its prices, as it was told.';

create or replace function gateway.fn_read_receipt(p_request_hk bytea, p_customer_hk bytea, p_settled boolean)
returns jsonb
language sql stable
begin atomic
    select jsonb_build_object(
        'settled', p_settled, 'status', s.response_status, 'request_id', s.request_id,
        'provider', h.provider_bk, 'model', s.model_used, 'route_reason', s.route_reason, 'attempts', s.attempt_count,
        'latency_ms', s.request_latency_ms,
        'cost', jsonb_build_object(
            'provider', trim_scale(s.provider_cost)::text, 'markup', trim_scale(s.gateway_markup)::text,
            'customer', trim_scale(s.customer_cost)::text, 'currency', 'USD'
        ) || case when s.own_key_cost > 0
            then jsonb_build_object('own_key', trim_scale(s.own_key_cost)::text) else '{}'
        end,
        'usage', jsonb_build_object(
            'input_uncached', s.input_uncached_tokens, 'cache_read', s.cache_read_tokens,
            'cache_write', s.cache_write_tokens, 'output', s.output_tokens, 'reasoning', s.reasoning_tokens,
            'other', gateway.fn_list_units(s.other_usage)
        ),
        'limited', s.decision -> 'limited', 'service_tier', s.service_tier
    )
    from gateway.api_request_s as s
    inner join gateway.ai_provider_h as h on s.provider_hk = h.provider_hk
    where s.api_request_hk = p_request_hk and s.customer_hk = p_customer_hk;
end;

comment on function gateway.fn_read_receipt(bytea, bytea, boolean) is
'Receipt of a booked request: status, provider, model, cost, usage. NULL when it is not booked.';
