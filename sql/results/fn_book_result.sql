-- Books one request. The reservation is the fence: whoever deletes it settles, so a request is charged once
-- however often its result is told. The customer pays for one attempt and never more than was reserved; the rest
-- is the house's.
create or replace function gateway.fn_book_result(p_result jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_request_hk bytea := uuid_send((p_result ->> 'request')::uuid);
    v_customer_hk bytea := decode(p_result ->> 'customer', 'hex');
    v_reservation ops.reservation;
    v_attempt jsonb;
    v_prices jsonb;
    v_priced gateway.priced_attempt;
    v_charged gateway.priced_attempt;
    v_provider_cost numeric := 0;
    v_customer_cost numeric := 0;
    v_house_loss numeric := 0;
    v_used jsonb;
    v_attempts jsonb;
    v_count integer;
    v_lost integer;
    v_charged_number integer;
    v_status text;
    v_latency_ms integer;
    v_queued_ms integer;
begin
    delete from ops.reservation as r
    where r.api_request_hk = v_request_hk and r.customer_hk = v_customer_hk
    returning r.* into v_reservation;
    if not found then
        return gateway.fn_read_receipt(v_request_hk, v_customer_hk, false);
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
    v_status := p_result ->> 'status';

    -- Counted from the decision on, by one clock; the worker knows only the time since it claimed the call.
    v_latency_ms := round(extract(epoch from v_now - v_reservation.reserved_at) * 1000)::integer;
    v_queued_ms := greatest(v_latency_ms - (p_result ->> 'latency_ms')::integer, 0);

    -- What the customer pays for: the last attempt that gave him anything. Plain expressions instead of queries
    -- here and below: each query started would cost more than all of them.
    for i in 0 .. v_count - 1 loop
        v_attempt := v_attempts -> i;
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
            v_attempt, v_prices, ((v_reservation.request ->> 'prompt_bytes')::bigint + 3) / 4
        );
        v_provider_cost := v_provider_cost + v_priced.provider_cost;
        if (v_attempt ->> 'number')::integer = v_charged_number then
            v_charged := v_priced;
        end if;
        if v_charged_number is null or (v_attempt ->> 'number')::integer = v_charged_number then
            v_used := v_prices;
        end if;
        perform gateway.fn_book_attempt(
            v_request_hk, v_customer_hk, (v_attempt ->> 'number')::integer + v_lost, v_now, v_attempt, v_prices, v_priced,
            coalesce((v_attempt ->> 'number')::integer = v_charged_number, false), v_reservation.compliance_flags
        );
    end loop;

    v_customer_cost := round(
        coalesce(v_charged.provider_cost, 0) * (1 + v_reservation.markup_percent / 100), 10
    );
    v_house_loss := greatest(v_customer_cost - v_reservation.held_usd, 0);
    v_customer_cost := least(v_customer_cost, v_reservation.held_usd);

    insert into gateway.api_request_s (
        api_request_hk, load_date, hash_diff, customer_hk, tenant_hk, token_hk, provider_hk, offer_hk,
        request_timestamp, request_type, capability, surface, is_streamed, priority_tier, model_asked, model_used,
        prompt_tokens, completion_tokens, total_tokens, input_uncached_tokens, cache_read_tokens, cache_write_tokens,
        output_tokens, reasoning_tokens, usage_source, request_latency_ms, first_byte_ms, attempt_count,
        reserved_cost, provider_cost, gateway_markup, customer_cost, house_loss, markup_percent, route_reason, rule_hk,
        request_ip, user_agent, response_status, error_class, error_message, compliance_flags, decision, record_source
    ) values (
        v_request_hk, v_now, sha256(convert_to(p_result::text || v_reservation.request::text, 'UTF8')), v_customer_hk,
        v_reservation.tenant_hk, v_reservation.token_hk, decode(v_used ->> 'provider_hk', 'hex'),
        decode(v_used ->> 'offer', 'hex'), v_reservation.reserved_at, v_reservation.request ->> 'request_type',
        v_reservation.request ->> 'capability', v_reservation.request ->> 'surface',
        (v_reservation.request ->> 'stream')::boolean, upper(v_reservation.queue_name),
        v_reservation.request ->> 'model', v_used ->> 'model',
        v_charged.input_uncached + coalesce(v_charged.cache_read, 0) + coalesce(v_charged.cache_write, 0),
        v_charged.output,
        v_charged.input_uncached + coalesce(v_charged.cache_read, 0) + coalesce(v_charged.cache_write, 0)
        + v_charged.output,
        v_charged.input_uncached, v_charged.cache_read, v_charged.cache_write, v_charged.output, v_charged.reasoning,
        v_charged.usage_source, v_latency_ms, (p_result ->> 'first_byte_ms')::integer + v_queued_ms, v_count + v_lost,
        v_reservation.held_usd, v_provider_cost, v_customer_cost - v_provider_cost, v_customer_cost,
        v_house_loss, v_reservation.markup_percent, v_reservation.route_reason, v_reservation.rule_hk,
        (v_reservation.request ->> 'client_ip')::inet, v_reservation.request ->> 'user_agent', v_status,
        p_result ->> 'class', gateway.fn_explain_error(p_result ->> 'class'), v_reservation.compliance_flags,
        v_reservation.decision, 'gateway'
    );

    perform gateway.fn_release_scope(
        v_customer_hk, v_reservation.held_usd, v_customer_cost, v_reservation.day_number, v_reservation.month_number
    );
    if v_reservation.token_is_limited then
        perform gateway.fn_release_scope(
            v_reservation.token_hk, v_reservation.held_usd, v_customer_cost, v_reservation.day_number,
            v_reservation.month_number
        );
    end if;

    return jsonb_build_object(
        'settled', true, 'status', v_status, 'request_id', p_result ->> 'request', 'provider', v_used ->> 'provider',
        'model', v_used ->> 'model', 'route_reason', v_reservation.route_reason, 'attempts', v_count + v_lost,
        'latency_ms', v_latency_ms,
        'cost', jsonb_build_object(
            'provider', trim_scale(v_provider_cost)::text,
            'markup', trim_scale(v_customer_cost - v_provider_cost)::text,
            'customer', trim_scale(v_customer_cost)::text, 'currency', 'USD'
        ),
        'usage', jsonb_build_object(
            'input_uncached', v_charged.input_uncached, 'cache_read', v_charged.cache_read,
            'cache_write', v_charged.cache_write, 'output', v_charged.output, 'reasoning', v_charged.reasoning
        )
    );
end
$$;

comment on function gateway.fn_book_result(jsonb) is
'Books attempts, usage, cost and charge of one request, releases what was held; a second call gives the same
receipt.';
