-- Settles one request and makes the rows that book it. The reservation is the fence: whoever deletes it settles, so a
-- request is charged once however often its result is told. The customer pays for one attempt and never more than was
-- reserved; the rest is the house's. By his own key he pays the plain markup alone, on what the provider asks him.
create or replace function gateway.fn_settle_result(
    p_result jsonb, out receipt jsonb, out request gateway.api_request_s, out attempts gateway.api_request_attempt_s[],
    out day_number integer, out month_number integer, out token_is_limited boolean, out limits jsonb
)
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_request_hk bytea := uuid_send((p_result ->> 'request')::uuid);
    v_customer_hk bytea := decode(p_result ->> 'customer', 'hex');
    v_reservation ops.reservation;
    v_request gateway.api_request_s;
    v_attempt jsonb;
    v_prices jsonb;
    v_priced gateway.priced_attempt;
    v_charged gateway.priced_attempt;
    v_charge record;
    v_charged_prices jsonb;
    v_provider_cost numeric := 0;
    v_own_key_cost numeric := 0;
    v_customer_cost numeric := 0;
    v_used jsonb;
    v_attempts jsonb;
    v_count integer;
    v_lost integer;
    v_charged_number integer;
    v_latency_ms integer;
begin
    delete from ops.reservation as r
    where r.api_request_hk = v_request_hk and r.customer_hk = v_customer_hk
    returning r.* into v_reservation;
    if not found then
        return;
    end if;

    -- Workers before the one that tells this took it and never told an end; a closing is told by none of them.
    v_lost := greatest(
        v_reservation.dispatch_count - coalesce((p_result ->> 'readings')::integer, (p_result ? 'read_ct')::integer), 0
    );
    if v_lost > 0 then
        p_result := gateway.fn_book_lost_calls(v_reservation, p_result, v_lost, v_now);
        v_lost := (p_result ->> 'lost')::integer;
    end if;
    v_attempts := p_result -> 'attempts';
    v_count := jsonb_array_length(v_attempts);

    -- Counted from the decision on, by one clock; the worker knows only the time since it claimed the call.
    v_latency_ms := round(extract(epoch from v_now - v_reservation.reserved_at) * 1000)::integer;

    -- What the customer pays for: the last attempt that gave him anything. Plain expressions instead of queries
    -- here and below: each query started would cost more than all of them.
    for i in 0 .. v_count - 1 loop
        v_attempt := v_attempts -> i;
        continue when v_attempt ->> 'class' = 'outrun';
        if v_attempt ->> 'outcome' = 'SUCCESS' or (v_attempt ->> 'output_bytes')::bigint > 0 then
            v_charged_number := (v_attempt ->> 'number')::integer;
        end if;
    end loop;

    v_used := v_reservation.candidates -> 0;
    for i in 0 .. v_count - 1 loop
        v_attempt := v_attempts -> i;
        v_prices := null;
        for j in 0 .. jsonb_array_length(v_reservation.candidates) - 1 loop
            if v_reservation.candidates -> j ->> 'offer' = v_attempt ->> 'offer' then
                v_prices := v_reservation.candidates -> j;
            end if;
        end loop;
        v_priced := gateway.fn_price_attempt(
            v_attempt, v_prices,
            gateway.fn_count_tokens((v_reservation.request ->> 'prompt_bytes')::bigint, v_prices)
        );
        v_provider_cost := v_provider_cost + v_priced.provider_cost;
        v_own_key_cost := v_own_key_cost + v_priced.own_key_cost;
        if (v_attempt ->> 'number')::integer = v_charged_number then
            v_charged := v_priced;
            v_charged_prices := v_prices;
        end if;
        if v_charged_number is null or (v_attempt ->> 'number')::integer = v_charged_number then
            v_used := v_prices;
        end if;
        attempts := attempts || gateway.fn_make_attempt(
            v_request_hk, v_customer_hk, (v_attempt ->> 'number')::integer + v_lost, v_now, v_attempt, v_prices, v_priced,
            coalesce((v_attempt ->> 'number')::integer = v_charged_number, false), v_reservation.compliance_flags
        );
    end loop;

    v_customer_cost := round(
        coalesce(v_charged.provider_cost, 0) * (1 + v_reservation.markup_percent / 100)
        + coalesce(v_charged.own_key_cost, 0) * greatest(v_reservation.markup_percent, 0) / 100, 10
    );
    v_request := gateway.fn_make_request(v_reservation, v_used, v_charged);
    if v_charged_prices ? 'terms' and not v_charged.is_own_key then
        v_charge := gateway.fn_charge_attempt(v_charged, v_charged_prices, v_reservation.markup_percent);
        v_customer_cost := v_charge.cost;
        v_request.charge_terms := v_charge.charge_terms;
    end if;
    v_request.house_loss := greatest(v_customer_cost - v_reservation.held_usd, 0);
    v_customer_cost := least(v_customer_cost, v_reservation.held_usd);
    v_request.load_date := v_now;
    v_request.hash_diff := sha256(convert_to(p_result::text || v_reservation.request::text, 'UTF8'));
    v_request.request_latency_ms := v_latency_ms;
    v_request.first_byte_ms := (p_result ->> 'first_byte_ms')::integer
        + greatest(v_latency_ms - (p_result ->> 'latency_ms')::integer, 0);
    v_request.attempt_count := v_count + v_lost;
    v_request.provider_cost := v_provider_cost;
    v_request.own_key_cost := v_own_key_cost;
    v_request.gateway_markup := v_customer_cost - v_provider_cost;
    v_request.customer_cost := v_customer_cost;
    v_request.response_status := p_result ->> 'status';
    v_request.error_class := p_result ->> 'class';
    v_request.error_message := gateway.fn_explain_error(p_result ->> 'class');
    request := case when v_request.response_status = 'SUCCESS' and v_request.attempt_count = 1 then v_request
        else gateway.fn_note_attempts(v_request, attempts, v_reservation.candidates) end;
    day_number := v_reservation.day_number;
    month_number := v_reservation.month_number;
    token_is_limited := v_reservation.token_is_limited;
    limits := case
        when v_reservation.limits is not null then gateway.fn_charge_limits(v_reservation.limits, v_request, attempts)
    end;
    receipt := jsonb_build_object(
        'settled', true, 'status', p_result ->> 'status', 'request_id', p_result ->> 'request', 'provider', v_used ->> 'provider',
        'model', v_used ->> 'model', 'route_reason', v_reservation.route_reason, 'attempts', v_count + v_lost,
        'latency_ms', v_latency_ms,
        'cost', jsonb_build_object(
            'provider', trim_scale(v_provider_cost)::text,
            'markup', trim_scale(v_customer_cost - v_provider_cost)::text,
            'customer', trim_scale(v_customer_cost)::text, 'currency', 'USD'
        ),
        'usage', jsonb_build_object(
            'input_uncached', v_charged.input_uncached, 'cache_read', v_charged.cache_read,
            'cache_write', v_charged.cache_write, 'output', v_charged.output, 'reasoning', v_charged.reasoning,
            'other', case when v_charged.other_usage is not null then gateway.fn_list_units(v_charged.other_usage) end
        ),
        'limited', v_reservation.decision -> 'limited', 'service_tier', v_charged.service_tier
    );
    if v_own_key_cost > 0 then
        receipt := jsonb_set(receipt, '{cost,own_key}', to_jsonb(trim_scale(v_own_key_cost)::text));
    end if;
end
$$;

comment on function gateway.fn_settle_result(jsonb) is
'Ends a request once: gives the receipt, the rows that book it, and the windows in which its hold is released and its
charge counts; nothing when it had ended already.';
