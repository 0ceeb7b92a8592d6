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
    v_attempts jsonb := p_result -> 'attempts';
    v_count integer := jsonb_array_length(v_attempts);
    v_charged_number integer;
    v_status text := p_result ->> 'status';
    v_latency_ms integer;
    v_queued_ms integer;
begin
    delete from ops.reservation as r
    where r.api_request_hk = v_request_hk and r.customer_hk = v_customer_hk
    returning r.* into v_reservation;
    if not found then
        return gateway.fn_read_receipt(v_request_hk, v_customer_hk, false);
    end if;

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
        insert into gateway.api_request_attempt_s (
            api_request_hk, customer_hk, attempt_number, load_date, hash_diff, offer_hk, provider_hk, provider_key_hk,
            outcome, error_class, http_status, latency_ms, first_byte_ms, output_bytes, finish_reason,
            input_uncached_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
            usage_source, raw_usage, input_usd_per_million, cache_read_usd_per_million, cache_write_usd_per_million,
            output_usd_per_million, provider_cost, is_charged, record_source
        ) values (
            v_request_hk, v_customer_hk, (v_attempt ->> 'number')::smallint, v_now,
            sha256(convert_to(v_attempt::text, 'UTF8')), decode(v_attempt ->> 'offer', 'hex'),
            decode(v_prices ->> 'provider_hk', 'hex'), decode(v_attempt ->> 'key', 'hex'), v_attempt ->> 'outcome',
            v_attempt ->> 'class', (v_attempt ->> 'http_status')::smallint, (v_attempt ->> 'latency_ms')::integer,
            (v_attempt ->> 'first_byte_ms')::integer, coalesce((v_attempt ->> 'output_bytes')::bigint, 0),
            left(v_attempt ->> 'finish_reason', 40), v_priced.input_uncached, v_priced.cache_read,
            v_priced.cache_write, v_priced.output, v_priced.reasoning, v_priced.usage_source,
            nullif(v_attempt -> 'raw_usage', 'null'), v_priced.input_usd_per_million,
            v_priced.cache_read_usd_per_million, v_priced.cache_write_usd_per_million,
            v_priced.output_usd_per_million, v_priced.provider_cost,
            coalesce((v_attempt ->> 'number')::integer = v_charged_number, false), 'gateway'
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
        request_ip, user_agent, response_status, error_class, error_message, compliance_flags, record_source
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
        v_charged.usage_source, v_latency_ms, (p_result ->> 'first_byte_ms')::integer + v_queued_ms, v_count,
        v_reservation.held_usd, v_provider_cost, v_customer_cost - v_provider_cost, v_customer_cost,
        v_house_loss, v_reservation.markup_percent, v_reservation.route_reason, v_reservation.rule_hk,
        (v_reservation.request ->> 'client_ip')::inet, v_reservation.request ->> 'user_agent', v_status,
        p_result ->> 'class', gateway.fn_explain_error(p_result ->> 'class'), v_reservation.compliance_flags, 'gateway'
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
        'model', v_used ->> 'model', 'route_reason', v_reservation.route_reason, 'attempts', v_count,
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
