create or replace function gateway.fn_book_attempt(
    p_request_hk bytea, p_customer_hk bytea, p_number integer, p_now timestamptz, p_attempt jsonb, p_prices jsonb,
    p_priced gateway.priced_attempt, p_is_charged boolean, p_compliance_levels text[]
) returns void
language plpgsql
set search_path = ''
as $$
begin
    insert into gateway.api_request_attempt_s (
        api_request_hk, customer_hk, attempt_number, load_date, hash_diff, offer_hk, provider_hk, provider_key_hk,
        outcome, error_class, http_status, latency_ms, first_byte_ms, output_bytes, finish_reason,
        input_uncached_tokens, cache_read_tokens, cache_write_tokens, output_tokens, reasoning_tokens,
        usage_source, raw_usage, input_usd_per_million, cache_read_usd_per_million, cache_write_usd_per_million,
        output_usd_per_million, provider_cost, is_charged, compliance_required, compliance_met, record_source
    ) values (
        p_request_hk, p_customer_hk, p_number, p_now,
        sha256(convert_to(p_attempt::text, 'UTF8')), decode(p_attempt ->> 'offer', 'hex'),
        decode(p_prices ->> 'provider_hk', 'hex'), decode(p_attempt ->> 'key', 'hex'), p_attempt ->> 'outcome',
        p_attempt ->> 'class', (p_attempt ->> 'http_status')::smallint, (p_attempt ->> 'latency_ms')::integer,
        (p_attempt ->> 'first_byte_ms')::integer, coalesce((p_attempt ->> 'output_bytes')::bigint, 0),
        left(p_attempt ->> 'finish_reason', 40), p_priced.input_uncached, p_priced.cache_read,
        p_priced.cache_write, p_priced.output, p_priced.reasoning, p_priced.usage_source,
        nullif(p_attempt -> 'raw_usage', 'null'), p_priced.input_usd_per_million,
        p_priced.cache_read_usd_per_million, p_priced.cache_write_usd_per_million,
        p_priced.output_usd_per_million, p_priced.provider_cost, p_is_charged, p_compliance_levels,
        case when p_compliance_levels is not null
            then array(select jsonb_array_elements_text(coalesce(p_prices -> 'levels', '[]')))
        end, 'gateway'
    );
end
$$;

comment on function gateway.fn_book_attempt(
    bytea, bytea, integer, timestamptz, jsonb, jsonb, gateway.priced_attempt, boolean, text[]
) is 'Writes one attempt: its outcome, usage in disjoint buckets, the prices applied and what follows
from them, and what it had to comply with.';
