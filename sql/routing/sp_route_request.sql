-- Everything about one call in one transaction: who, whether, where, for how much. All reading first, hot rows
-- last and in one order (customer, token). A refusal is a returned status and leaves nothing behind.
create or replace function gateway.sp_route_request(
    p_token_digest bytea, p_request jsonb, p_reply_to text default null, p_hand_over boolean default false
) returns gateway.route_decision
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_now_us bigint := floor(extract(epoch from v_now) * 1000000)::bigint;
    v_features gateway.request_features := jsonb_populate_record(null::gateway.request_features, p_request);
    v_principal ops.principal;
    v_decision gateway.route_decision;
    v_choice gateway.route_choice;
    v_fitted record;
    v_limits jsonb;
    v_prompt_tokens bigint;
    v_local timestamp;
    v_day integer;
    v_month integer;
    v_request uuid;
    v_queue text;
    v_hedge jsonb := '{}';
    -- Plain expressions here and below: each costs less than a statement, and those of one row less than one a field.
    v_durable text := set_config('synchronous_commit', 'on', true);
begin
    select p.* into v_principal from ops.principal as p where p.token_digest = p_token_digest;
    v_decision := gateway.fn_check_principal(v_principal, v_now, 'inference', v_features.client_ip);
    if v_decision.status is not null then
        return v_decision;
    end if;
    if p_request ? 'idempotency' then
        v_decision := gateway.fn_check_key(v_principal, p_request, v_now);
        if v_decision.status is not null then
            return v_decision;
        end if;
    end if;
    v_queue := gateway.fn_choose_queue(v_principal.priority_tier, v_features.priority);
    v_decision := gateway.fn_refuse_backlog(v_queue, v_now);
    if v_decision.status is not null then
        return v_decision;
    end if;

    v_prompt_tokens := gateway.fn_estimate_prompt_tokens(
        v_features.prompt_bytes, v_features.images, v_features.messages, v_features.pictures
    );
    v_request := uuidv7();
    v_choice := gateway.fn_decide(
        v_principal, v_features, v_prompt_tokens, v_now, hashtextextended(v_request::text, 0)
    );
    if (v_choice.refusal).status is not null then
        return v_choice.refusal;
    end if;

    v_local := v_now at time zone v_principal.time_zone;
    v_day := v_local::date - date '1970-01-01';
    v_month := ((extract(year from v_local) - 1970) * 12 + extract(month from v_local) - 1)::integer;

    if v_principal.limit_hks is null then
        -- Who names no length gets no more than a share of what is left, see gateway.fn_fit_call.
        v_decision := gateway.fn_reserve_call(
            v_principal, v_choice.hold_usd, v_now, v_now_us, v_day, v_month,
            case when v_features.max_output_tokens is null then 8 else 1 end
        );
    end if;
    if v_principal.limit_hks is not null or v_decision.status = 'budget_exceeded' then
        v_fitted := gateway.fn_fit_call(
            v_principal, v_features, v_choice, v_prompt_tokens, v_now, hashtextextended(v_request::text, 0), v_day,
            v_month
        );
        v_decision := v_fitted.decision;
        v_choice := v_fitted.choice;
        v_limits := v_fitted.limits;
    end if;
    if v_decision.status is not null then
        return v_decision;
    end if;

    if gateway.fn_calls_in_batch() is not null then
        perform gateway.fn_count_call(
            case when v_choice.candidates -> 0 -> 'own_keys' is null then v_choice.provider_hk end,
            v_choice.candidates -> 0 ->> 'offer'
        );
    end if;
    v_decision := row(
        'routed', 200, v_request::text, v_queue, null, v_choice.provider_bk, v_choice.model_bk, v_choice.reason,
        v_principal.customer_bk, v_decision.rate_limit, v_decision.rate_remaining, v_decision.rate_reset_ms,
        v_decision.retry_after_ms, v_now_us / 1000 + coalesce(v_features.timeout_ms, 600000), v_decision.message,
        (v_choice.record -> 'limited')::text, null
    );

    insert into gateway.api_request_h (
        api_request_hk, api_request_bk, customer_hk, provider_hk, load_date, record_source
    ) values (
        uuid_send(v_request), v_decision.request_id, v_principal.customer_hk, v_choice.provider_hk, v_now, 'gateway'
    );
    if v_choice.is_hedged then
        v_hedge := coalesce(gateway.fn_choose_hedge(v_choice.candidates, v_features.stream), '{}');
    end if;
    v_decision.work := jsonb_build_object(
        'request', v_decision.request_id, 'customer', encode(v_principal.customer_hk, 'hex'), 'reply_to', p_reply_to,
        'ticket', v_features.ticket, 'deadline_ms', v_decision.deadline_ms, 'candidates', v_choice.candidates
    ) || v_hedge;
    v_decision.msg_id := gateway.fn_send_work(v_decision.queue, v_decision.work, p_hand_over);
    insert into ops.reservation (
        api_request_hk, customer_hk, tenant_hk, token_hk, token_is_limited, reserved_at, deadline, queue_name, msg_id,
        held_usd, markup_percent, day_number, month_number, candidates, request, rule_hk, route_reason,
        compliance_flags, decision, limits, request_state, dispatch_count
    ) values (
        uuid_send(v_request), v_principal.customer_hk, v_principal.tenant_hk, v_principal.token_hk,
        v_principal.token_is_limited, v_now, to_timestamp(v_decision.deadline_ms / 1000.0), v_decision.queue,
        v_decision.msg_id, v_choice.hold_usd, v_principal.markup_percent, v_day, v_month, v_choice.prices,
        gateway.fn_keep_features(v_features, v_prompt_tokens, v_principal.address_policy), v_choice.rule_hk,
        v_decision.route_reason, nullif(v_choice.compliance, '{}'),
        v_choice.record, v_limits, case when p_hand_over then 'dispatched' else 'reserved' end, p_hand_over::integer
    );
    if not p_hand_over then
        v_decision.work := null;
    end if;
    if v_choice.is_sticky and v_features.session is not null then
        perform gateway.fn_keep_conversation(v_principal, v_features.session, v_choice.candidates, v_now);
    end if;
    if p_request ? 'idempotency' then
        perform gateway.fn_use_key(v_principal.customer_hk, p_request -> 'idempotency', uuid_send(v_request));
    end if;
    return v_decision;
end
$$;

comment on function gateway.sp_route_request(bytea, jsonb, text, boolean) is
'Decides one call: authenticate, match the rule, rank offers, rate limit, reserve the worst case, write the hub
row, queue; what is handed over counts as read.';
