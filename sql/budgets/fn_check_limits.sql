-- What a call needs of each limit that it falls under, and the first hard one without room for it. A limit of a
-- provider or model is about calls that may end there, one of a key about those that it may be tried for. Of money all
-- is held that the call may cost; of a key's limit what its provider may ask for it. The limits are locked, so what is
-- found here stays true until they are taken.
create or replace function gateway.fn_check_limits(
    p_principal ops.principal, p_choice gateway.route_choice, p_features gateway.request_features,
    p_prompt_tokens bigint, p_now timestamptz,
    out full_limit ops.usage_limit, out needed numeric, out room numeric, out room_tokens numeric, out taken jsonb
)
language plpgsql
stable
set search_path = ''
as $$
declare
    v_now_us bigint := floor(extract(epoch from p_now) * 1000000)::bigint;
    v_local timestamp := p_now at time zone p_principal.time_zone;
    v_choices integer := greatest(p_features.choices, p_features.images_out, 1);
    v_limit record;
begin
    for v_limit in
        with candidate as (
            select
                decode(q.prices ->> 'provider_hk', 'hex') as provider_hk, q.prices ->> 'model' as model_bk,
                p_prompt_tokens + (c.candidate ->> 'max_output_tokens')::bigint * v_choices as tokens,
                q.prices -> 'own_keys' as own_keys, (q.prices ->> 'own_usd')::numeric as own_usd,
                (q.prices ->> 'output')::numeric / 1000000 as usd_per_token
            from jsonb_array_elements(p_choice.candidates) with ordinality as c (candidate, place)
            inner join jsonb_array_elements(p_choice.prices) with ordinality as q (prices, place) on c.place = q.place
        )

        select l as row, n.needed, n.tokens, n.usd_per_token, w.window_number, w.allowed, l.is_hard, l.unit, l.period,
            case
                when l.period = 'MINUTE' then w.allowed * (1 - greatest(l.full_at_us - v_now_us, 0) / 60000000.0)
                when l.window_number = w.window_number then w.allowed - l.spent - l.held
                else w.allowed
            end as room
        from ops.usage_limit as l
        cross join lateral (
            select
                util.fn_window_number(v_local, l.period) as window_number,
                case when l.raised_until > p_now then l.raised_amount else l.amount end as allowed
        ) as w
        inner join lateral (
            select
                case
                    when l.provider_key_hk is not null then max(c.own_usd)
                    when l.unit = 'USD' then p_choice.hold_usd
                    when l.unit = 'TOKENS' then max(c.tokens)
                    else 1
                end as needed,
                max(c.tokens) as tokens, max(c.usd_per_token) as usd_per_token
            from candidate as c
            where
                (l.provider_hk is null or l.provider_hk = c.provider_hk)
                and (l.model_bk is null or l.model_bk = c.model_bk)
                and (l.provider_key_hk is null or c.own_keys @> to_jsonb(encode(l.provider_key_hk, 'hex')))
            having count(*) > 0
        ) as n on true
        where l.usage_limit_hk = any(p_principal.limit_hks)
        order by l.usage_limit_hk
    loop
        if v_limit.is_hard and v_limit.needed > v_limit.room then
            full_limit := v_limit.row;
            needed := v_limit.needed;
            room := v_limit.room;
            if (v_limit.row).provider_key_hk is not null then
                room_tokens := v_limit.tokens - ceil((needed - room) / nullif(v_limit.usd_per_token, 0));
            elsif v_limit.unit = 'TOKENS' then
                room_tokens := trunc(room);
            end if;
            return;
        end if;
        taken := coalesce(taken, '[]') || jsonb_strip_nulls(jsonb_build_object(
            'limit', encode((v_limit.row).usage_limit_hk, 'hex'), 'unit', v_limit.unit, 'window', v_limit.window_number,
            'held', v_limit.needed, 'allowed', v_limit.allowed,
            'us', case when v_limit.period = 'MINUTE' then ceil(v_limit.needed * 60000000 / v_limit.allowed) end,
            'provider', encode((v_limit.row).provider_hk, 'hex'), 'model', (v_limit.row).model_bk,
            'key', encode((v_limit.row).provider_key_hk, 'hex')
        ));
    end loop;
end
$$;

comment on function gateway.fn_check_limits(
    ops.principal, gateway.route_choice, gateway.request_features, bigint, timestamptz
) is 'The first hard limit without room for a call, what the call needs of it and what is left, and the tokens that this
pays for where it is not about charges; else what the call takes.';

create or replace function gateway.fn_name_target(p_limit ops.usage_limit) returns text
language sql immutable
return case
    when (p_limit).provider_key_hk is not null then 'key:' || encode((p_limit).provider_key_hk, 'hex')
    when (p_limit).provider_bk is null then (p_limit).model_bk
    else (p_limit).provider_bk || '/' || coalesce((p_limit).model_bk, '*')
end;

comment on function gateway.fn_name_target(ops.usage_limit) is
'What a limit is about as targets are written: provider/model, provider/* or model, or key: and the own key; NULL for
everything.';
