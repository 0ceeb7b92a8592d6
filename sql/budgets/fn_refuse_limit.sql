-- Money is refused with 402, the rest with 429 and the time after which there is room again. Runs on the way out only.
create or replace function gateway.fn_refuse_limit(
    p_limit ops.usage_limit, p_needed numeric, p_room numeric, p_now timestamptz, p_time_zone text
) returns gateway.route_decision
language plpgsql
stable
set search_path = ''
as $$
declare
    v_scope text := case
        when p_limit.provider_key_hk is not null then 'key'
        when p_limit.token_hk is not null then 'token' when p_limit.customer_hk is not null then 'customer' else 'tenant'
    end;
    v_about text := concat_ws('/', p_limit.provider_bk, p_limit.model_bk);
    v_allowed numeric := case when p_limit.raised_until > p_now then p_limit.raised_amount else p_limit.amount end;
    v_window integer := util.fn_window_number(p_now at time zone p_time_zone, p_limit.period);
    v_spent numeric := case when p_limit.window_number = v_window then p_limit.spent else 0 end;
    v_held numeric := case when p_limit.window_number = v_window then p_limit.held else 0 end;
    v_resets_at timestamptz := util.fn_window_begin(v_window + 1, p_limit.period, p_time_zone);
    v_resets text := to_char(v_resets_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');
    v_wait_ms bigint := case p_limit.period
        when 'MINUTE' then ceil((least(p_needed, v_allowed) - p_room) * 60000 / v_allowed)::bigint
        when 'TOTAL' then 86400000
        else coalesce(ceil(extract(epoch from v_resets_at - p_now) * 1000)::bigint, 1000)
    end;
    v_detail jsonb := jsonb_build_object(
        'limit', p_limit.limit_name, 'scope', v_scope, 'period', lower(p_limit.period), 'unit', lower(p_limit.unit),
        'provider', p_limit.provider_bk, 'model', p_limit.model_bk, 'needed', trim_scale(p_needed),
        'allowed', trim_scale(v_allowed), 'resets_at', v_resets
    );
begin
    if p_limit.usage_limit_hk = ops.fn_prepaid_limit_hk(p_limit.customer_hk) then
        return gateway.fn_refuse(
            'budget_exceeded', 402,
            format('The prepaid credit of this customer has %s USD left, and calls under way hold %s of it; this call may '
                'need %s. Top it up, lower max_tokens, or wait until they are over.',
                trim_scale(v_allowed - v_spent)::text, trim_scale(v_held)::text, trim_scale(p_needed)::text),
            jsonb_build_object('budget', v_detail || jsonb_build_object(
                'limit_usd', trim_scale(v_allowed), 'spent_usd', trim_scale(v_spent), 'held_usd', trim_scale(v_held),
                'needed_usd', trim_scale(p_needed)
            ))
        );
    end if;
    if p_limit.unit = 'USD' then
        return gateway.fn_refuse(
            'budget_exceeded', 402,
            format('The budget %s of this %s%s is %s USD%s; %s are spent and %s held by calls under way, this call may '
                'need %s. %sRaise the budget, lower max_tokens, or wait.',
                quote_literal(p_limit.limit_name), v_scope, coalesce(' for ' || nullif(v_about, ''), ''),
                trim_scale(v_allowed)::text,
                case when p_limit.period = 'TOTAL' then ' in all' else ' a ' || lower(p_limit.period) end,
                trim_scale(v_spent)::text, trim_scale(v_held)::text, trim_scale(p_needed)::text,
                coalesce('It resets at ' || v_resets || '. ', '')),
            jsonb_build_object('budget', v_detail || jsonb_build_object(
                'limit_usd', trim_scale(v_allowed), 'spent_usd', trim_scale(v_spent), 'held_usd', trim_scale(v_held),
                'needed_usd', trim_scale(p_needed)
            ))
        );
    end if;
    return gateway.fn_refuse(
        'rate_limited', 429,
        case
            when p_limit.unit = 'PARALLEL' then format(
                'This %s may have %s calls under way at once%s. Wait until one of them is over.',
                v_scope, trim_scale(v_allowed)::text, coalesce(' at ' || nullif(v_about, ''), '')
            )
            when p_needed > v_allowed then format(
                'This call may need %s %s, and the limit %s of this %s allows %s %s. Lower max_tokens, or shorten it.',
                trim_scale(p_needed)::text, lower(p_limit.unit), quote_literal(p_limit.limit_name), v_scope,
                trim_scale(v_allowed)::text, coalesce('a ' || lower(nullif(p_limit.period, 'TOTAL')), 'in all')
            )
            else format(
                'More than %s %s %s for this %s%s (limit %s). %s', trim_scale(v_allowed)::text, lower(p_limit.unit),
                coalesce('a ' || lower(nullif(p_limit.period, 'TOTAL')), 'in all'), v_scope,
                coalesce(' at ' || nullif(v_about, ''), ''), quote_literal(p_limit.limit_name),
                coalesce('It resets at ' || v_resets || '.', format('Wait %s seconds.', ceil(v_wait_ms / 1000.0)::text))
            )
        end,
        v_detail, greatest(v_wait_ms, 1)
    );
end
$$;

comment on function gateway.fn_refuse_limit(ops.usage_limit, numeric, numeric, timestamptz, text) is
'The refusal of a limit without room: 402 for money, else 429 with the wait; both name the limit and its figures.';
