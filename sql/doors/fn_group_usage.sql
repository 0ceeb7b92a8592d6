-- Hours are the finest there is: the first and the last count whole, but for the local midnight they may contain. The
-- cursor is a digest of the last group's key: it says nothing, and holds while usage grows.
create or replace function gateway.fn_group_usage(
    p_customer text, p_time_zone text, p_from timestamptz, p_to timestamptz, p_groups text[], p_limit integer,
    p_after text
) returns jsonb
language plpgsql
stable
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
    v_body jsonb;
begin
    with grouped as (
        select
            case when 'day' = any(p_groups) then u.usage_day::text end as day,
            case when 'hour' = any(p_groups)
                then to_char(u.usage_hour at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') end as hour,
            case when 'model' = any(p_groups) then u.model end as model,
            case when 'provider' = any(p_groups) then u.provider end as provider,
            case when 'type' = any(p_groups) then u.request_type end as type,
            case when 'token' = any(p_groups) then u.token_id end as token,
            sum(u.request_count) as requests,
            coalesce(sum(u.request_count) filter (where u.response_status in ('ERROR', 'TIMEOUT', 'VOIDED')), 0) as errors,
            sum(u.input_tokens) as input_tokens,
            sum(u.cache_read_tokens) as cache_read_tokens,
            sum(u.cache_write_tokens) as cache_write_tokens,
            sum(u.output_tokens) as output_tokens,
            sum(u.reasoning_tokens) as reasoning_tokens,
            sum(u.total_tokens) as total_tokens,
            sum(u.customer_cost_usd) as cost_usd
        from business_vault.usage_part as u
        where
            u.customer = p_customer
            and u.usage_hour >= date_trunc('hour', p_from, 'UTC') and u.usage_hour < p_to
            and u.usage_day >= (p_from at time zone p_time_zone)::date
            and u.usage_day <= ((p_to - interval '1 microsecond') at time zone p_time_zone)::date
        group by 1, 2, 3, 4, 5, 6
    ),

    ordered as (
        select
            g.*,
            row_number() over (order by g.day, g.hour, g.model, g.provider, g.type, g.token) as place,
            md5(jsonb_build_array(g.day, g.hour, g.model, g.provider, g.type, g.token)::text) as cursor
        from grouped as g
    ),

    start as (
        select case when p_after is null then 0 else (select x.place from ordered as x where x.cursor = p_after) end as place
    )

    select jsonb_build_object(
        'object', 'list',
        'from', to_char(p_from at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'to', to_char(p_to at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'group_by', to_jsonb(p_groups),
        'data', coalesce(
            jsonb_agg(
                jsonb_strip_nulls(jsonb_build_object(
                    'day', o.day, 'hour', o.hour, 'model', o.model, 'provider', o.provider, 'type', o.type,
                    'token', o.token, 'token_name', (
                        select n.token_name
                        from gateway.token_h as h
                        inner join gateway.token_s as n on h.token_hk = n.token_hk and n.load_end_date is null
                        where h.token_bk = o.token
                    )
                )) || jsonb_build_object(
                    'requests', o.requests, 'errors', o.errors, 'input_tokens', o.input_tokens,
                    'cache_read_tokens', o.cache_read_tokens, 'cache_write_tokens', o.cache_write_tokens,
                    'output_tokens', o.output_tokens, 'reasoning_tokens', o.reasoning_tokens,
                    'total_tokens', o.total_tokens, 'cost_usd', trim_scale(o.cost_usd)
                ) order by o.place
            ) filter (where o.place > s.place and o.place <= s.place + p_limit), '[]'
        ),
        'has_more', coalesce(max(o.place), 0) > s.place + p_limit,
        'next_after', case when max(o.place) > s.place + p_limit
            then max(o.cursor) filter (where o.place = s.place + p_limit) end,
        'totals', jsonb_build_object(
            'requests', coalesce(sum(o.requests), 0), 'errors', coalesce(sum(o.errors), 0),
            'input_tokens', coalesce(sum(o.input_tokens), 0),
            'cache_read_tokens', coalesce(sum(o.cache_read_tokens), 0),
            'cache_write_tokens', coalesce(sum(o.cache_write_tokens), 0),
            'output_tokens', coalesce(sum(o.output_tokens), 0),
            'reasoning_tokens', coalesce(sum(o.reasoning_tokens), 0),
            'total_tokens', coalesce(sum(o.total_tokens), 0),
            'cost_usd', trim_scale(coalesce(sum(o.cost_usd), 0))
        )
    ) into v_body
    from start as s
    left join ordered as o on true
    where s.place is not null
    group by s.place;
    return v_body;
end
$$;

comment on function gateway.fn_group_usage(text, text, timestamptz, timestamptz, text[], integer, text) is
'A page of a customer''s usage by groups, with totals over all pages; NULL when the cursor is of no group.';
