-- What a call with this token could be routed to, by the same tests as routing: usable now, allowed, compliant. Prices
-- are what the customer pays now, by his own key the fee alone; those of the model are its cheapest offer's.
create or replace function gateway.sp_list_models(p_token_digest bytea, p_client_ip text default null) returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_models jsonb;
    v_own_keys jsonb;
    v_rules jsonb;
begin
    select p.* into v_principal from ops.principal as p where p.token_digest = p_token_digest;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'inference', p_client_ip);
    if v_refusal.status is not null then
        return gateway.fn_reply_refusal(v_refusal);
    end if;

    if v_principal.own_keys is not null then
        v_own_keys := gateway.fn_open_own_keys(v_principal.own_keys, v_now, null, null);
    end if;
    if v_principal.charge_rules is not null then
        v_rules := (gateway.fn_read_charge_rules(v_principal, v_now, null)).rules;
    end if;
    select jsonb_agg(m.model order by m.model_bk) into v_models
    from (
        select
            o.model_bk,
            jsonb_build_object(
                'id', o.model_bk, 'object', 'model', 'created', floor(extract(epoch from min(h.load_date)))::bigint,
                'owned_by', (array_agg(o.provider_bk order by p.place))[1],
                'type', 'model', 'display_name', o.model_bk, 'lifecycle', 'active',
                'created_at', to_char(min(h.load_date) at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
                'max_input_tokens', max(o.context_tokens), 'max_tokens', max(o.max_output_tokens),
                'onevault', jsonb_build_object(
                    'providers', jsonb_agg(o.provider_bk order by p.place),
                    'capabilities', (
                        select jsonb_agg(distinct c.capability order by c.capability)
                        from unnest(string_to_array(string_agg(array_to_string(o.capabilities, ','), ','), ','))
                            as c (capability)
                    ),
                    'context_tokens', max(o.context_tokens), 'max_output_tokens', max(o.max_output_tokens),
                    'price_usd_per_million', (array_agg(p.price order by p.place))[1],
                    'offers', jsonb_agg(jsonb_build_object(
                        'provider', o.provider_bk, 'context_tokens', o.context_tokens,
                        'max_output_tokens', o.max_output_tokens, 'price_usd_per_million', p.price
                    ) order by p.place)
                )
            ) as model
        from ops.offer as o
        inner join gateway.model_h as h on o.model_hk = h.model_hk
        cross join lateral (
            select
                coalesce(x.own -> 'keys', 'null') <> 'null' as has_key,
                coalesce((x.own ->> 'stays')::boolean, false) as stays
            from (
                select case when v_own_keys ? o.provider_bk
                    then gateway.fn_pick_own_keys(v_own_keys, o.provider_bk, o.model_bk) end as own
            ) as x
        ) as k
        cross join lateral (
            select
                (o.is_sandbox, o.input_usd_per_million + o.output_usd_per_million, o.provider_bk) as place,
                case when v_rules is null or k.has_key then jsonb_build_object(
                    'input', trim_scale(round(o.input_usd_per_million * f.factor, 10)),
                    'cache_read', trim_scale(round(o.cache_read_usd_per_million * f.factor, 10)),
                    'cache_write', trim_scale(round(o.cache_write_usd_per_million * f.factor, 10)),
                    'output', trim_scale(round(o.output_usd_per_million * f.factor, 10))
                ) else gateway.fn_list_prices(
                    gateway.fn_find_charge_terms(v_rules, o.provider_bk, o.model_bk), gateway.fn_join_rate(
                        o.input_usd_per_million, o.cache_read_usd_per_million, o.cache_write_usd_per_million,
                        o.output_usd_per_million, null
                    ), v_principal.markup_percent
                ) end as price
            from (
                select case
                    when k.has_key then greatest(v_principal.markup_percent, 0) / 100
                    else 1 + v_principal.markup_percent / 100
                end as factor
            ) as f
        ) as p
        where
            o.valid_from <= v_now and o.valid_to > v_now and o.service_tier = 'standard' and o.above_tokens = 0
            and (o.owner_hk is null or o.owner_hk = v_principal.customer_hk)
            and (
                o.unroutable_because is null and (k.has_key or not k.stays)
                or o.unroutable_because = 'no_key' and k.has_key and o.input_usd_per_million is not null
                and (o.output_usd_per_million is not null or not 'chat' = any(o.capabilities))
            )
            and coalesce(
                o.model_bk = any(v_principal.allowed_models)
                or o.provider_bk || '/' || o.model_bk = any(v_principal.allowed_models), true
            )
            and o.compliance_levels @> v_principal.compliance_levels
        group by o.model_bk
    ) as m;

    return gateway.fn_reply_body(jsonb_build_object(
        'object', 'list', 'data', coalesce(v_models, '[]'),
        'has_more', false, 'first_id', v_models #> '{0,id}', 'last_id', v_models #> '{-1,id}'
    ));
end
$$;

comment on function gateway.sp_list_models(bytea, text) is
'Models that a token''s customer can call, in the shapes of OpenAI and Anthropic, with providers, limits and prices.';
