-- One attempt as a row of the books: its outcome, usage in disjoint buckets, the prices applied, what it had to comply
-- with. Rows are written a batch at a time, since each INSERT reads its table's checks anew.
create or replace function gateway.fn_sum_others(p_priced gateway.priced_attempt) returns bigint
language sql immutable
return coalesce((p_priced).other_input + (p_priced).other_output, (p_priced).other_input, (p_priced).other_output);

comment on function gateway.fn_sum_others(gateway.priced_attempt) is
'Tokens beside the four common buckets; NULL for none.';

create or replace function gateway.fn_make_attempt(
    p_request_hk bytea, p_customer_hk bytea, p_number integer, p_now timestamptz, p_attempt jsonb, p_prices jsonb,
    p_priced gateway.priced_attempt, p_is_charged boolean, p_compliance_levels text[]
) returns gateway.api_request_attempt_s
language plpgsql
stable
set search_path = ''
as $$
declare
    v_row gateway.api_request_attempt_s;
begin
    v_row.api_request_hk := p_request_hk;
    v_row.customer_hk := p_customer_hk;
    v_row.attempt_number := p_number;
    v_row.load_date := p_now;
    v_row.hash_diff := sha256(convert_to(p_attempt::text, 'UTF8'));
    v_row.offer_hk := decode(p_attempt ->> 'offer', 'hex');
    v_row.provider_hk := decode(p_prices ->> 'provider_hk', 'hex');
    v_row.provider_key_hk := decode(p_attempt ->> 'key', 'hex');
    v_row.outcome := p_attempt ->> 'outcome';
    v_row.error_class := p_attempt ->> 'class';
    v_row.http_status := (p_attempt ->> 'http_status')::smallint;
    v_row.latency_ms := (p_attempt ->> 'latency_ms')::integer;
    v_row.first_byte_ms := (p_attempt ->> 'first_byte_ms')::integer;
    v_row.output_bytes := coalesce((p_attempt ->> 'output_bytes')::bigint, 0);
    v_row.finish_reason := left(p_attempt ->> 'finish_reason', 40);
    v_row.input_uncached_tokens := p_priced.input_uncached;
    v_row.cache_read_tokens := p_priced.cache_read;
    v_row.cache_write_tokens := p_priced.cache_write;
    v_row.output_tokens := p_priced.output;
    v_row.reasoning_tokens := p_priced.reasoning;
    v_row.other_usage := p_priced.other_usage;
    v_row.other_tokens := gateway.fn_sum_others(p_priced);
    v_row.usage_source := p_priced.usage_source;
    v_row.service_tier := p_priced.service_tier;
    v_row.threshold_tokens := p_priced.threshold_tokens;
    v_row.has_unpriced_usage := p_priced.has_unpriced_usage;
    v_row.raw_usage := nullif(p_attempt -> 'raw_usage', 'null');
    v_row.input_usd_per_million := p_priced.input_usd_per_million;
    v_row.cache_read_usd_per_million := p_priced.cache_read_usd_per_million;
    v_row.cache_write_usd_per_million := p_priced.cache_write_usd_per_million;
    v_row.output_usd_per_million := p_priced.output_usd_per_million;
    v_row.provider_cost := p_priced.provider_cost;
    v_row.is_own_key := p_priced.is_own_key;
    v_row.own_key_cost := p_priced.own_key_cost;
    v_row.is_charged := p_is_charged;
    v_row.compliance_required := p_compliance_levels;
    v_row.compliance_met := case when p_compliance_levels is not null then array(select jsonb_array_elements_text(coalesce(p_prices -> 'levels', '[]'))) end;
    v_row.record_source := 'gateway';
    return v_row;
end
$$;

comment on function gateway.fn_make_attempt(
    bytea, bytea, integer, timestamptz, jsonb, jsonb, gateway.priced_attempt, boolean, text[]
) is 'A row of api_request_attempt_s: outcome, usage in disjoint buckets, prices applied and what follows from them.';
