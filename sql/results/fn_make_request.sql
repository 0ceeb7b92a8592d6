-- What the books say of a request beside how it ended: who asked for what when, who answered, what was used.
create or replace function gateway.fn_make_request(
    p_reservation ops.reservation, p_used jsonb, p_charged gateway.priced_attempt
) returns gateway.api_request_s
language plpgsql
stable
set search_path = ''
as $$
declare
    v_row gateway.api_request_s;
begin
    v_row.api_request_hk := p_reservation.api_request_hk;
    v_row.request_id := encode(p_reservation.api_request_hk, 'hex')::uuid;
    v_row.customer_hk := p_reservation.customer_hk;
    v_row.tenant_hk := p_reservation.tenant_hk;
    v_row.token_hk := p_reservation.token_hk;
    v_row.provider_hk := decode(p_used ->> 'provider_hk', 'hex');
    v_row.offer_hk := decode(p_used ->> 'offer', 'hex');
    v_row.request_timestamp := p_reservation.reserved_at;
    v_row.request_type := p_reservation.request ->> 'request_type';
    v_row.capability := p_reservation.request ->> 'capability';
    v_row.surface := p_reservation.request ->> 'surface';
    v_row.is_streamed := (p_reservation.request ->> 'stream')::boolean;
    v_row.priority_tier := upper(p_reservation.queue_name);
    v_row.model_asked := p_reservation.request ->> 'model';
    v_row.model_used := p_used ->> 'model';
    v_row.prompt_tokens := coalesce(p_charged.input_uncached + coalesce(p_charged.other_input, 0), p_charged.other_input)
        + coalesce(p_charged.cache_read, 0) + coalesce(p_charged.cache_write, 0);
    v_row.completion_tokens := coalesce(p_charged.output + coalesce(p_charged.other_output, 0), p_charged.other_output);
    v_row.total_tokens := v_row.prompt_tokens + v_row.completion_tokens;
    if v_row.total_tokens is null and p_charged.other_usage is not null then
        v_row.total_tokens := coalesce(v_row.prompt_tokens, v_row.completion_tokens);
    end if;
    v_row.other_usage := p_charged.other_usage;
    v_row.other_tokens := gateway.fn_sum_others(p_charged);
    v_row.service_tier := p_charged.service_tier;
    v_row.input_uncached_tokens := p_charged.input_uncached;
    v_row.cache_read_tokens := p_charged.cache_read;
    v_row.cache_write_tokens := p_charged.cache_write;
    v_row.output_tokens := p_charged.output;
    v_row.reasoning_tokens := p_charged.reasoning;
    v_row.usage_source := p_charged.usage_source;
    v_row.reserved_cost := p_reservation.held_usd;
    v_row.markup_percent := p_reservation.markup_percent;
    v_row.route_reason := p_reservation.route_reason;
    v_row.rule_hk := p_reservation.rule_hk;
    v_row.request_ip := (p_reservation.request ->> 'client_ip')::inet;
    v_row.user_agent := p_reservation.request ->> 'user_agent';
    v_row.compliance_flags := p_reservation.compliance_flags;
    if v_row.compliance_flags is not null then
        -- Levels are plain words: as text, a JSON array of them is one of SQL but for its brackets. No query is begun.
        v_row.compliance_met := translate(p_used ->> 'levels', '[]', '{}')::text[];
    end if;
    v_row.decision := p_reservation.decision;
    v_row.record_source := 'gateway';
    return v_row;
end
$$;

comment on function gateway.fn_make_request(ops.reservation, jsonb, gateway.priced_attempt) is
'A row of api_request_s from a reservation, the offer used and the usage charged; how it ended is filled in after.';
