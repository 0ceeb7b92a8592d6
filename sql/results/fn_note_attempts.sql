-- What was tried is read from the attempts once, when they are booked, and not with each look at the decision. Those of
-- lost workers stand in the table already.
create or replace function gateway.fn_note_attempts(
    p_request gateway.api_request_s, p_attempts gateway.api_request_attempt_s[], p_candidates jsonb
) returns gateway.api_request_s
language plpgsql
stable
set search_path = ''
as $$
declare
    v_row gateway.api_request_s := p_request;
begin
    v_row.provider_chosen := p_candidates -> 0 ->> 'provider';
    select
        coalesce(array_agg(p.provider_bk::text order by a.attempt_number), '{}'),
        coalesce(array_agg(coalesce(a.error_class, a.outcome)::text order by a.attempt_number), '{}')
    into v_row.attempted_providers, v_row.attempt_outcomes
    from (
        select t.provider_hk, t.attempt_number, t.error_class, t.outcome
        from unnest(p_attempts) as t
        union all
        select t.provider_hk, t.attempt_number, t.error_class, t.outcome
        from gateway.api_request_attempt_s as t
        where t.api_request_hk = p_request.api_request_hk and t.customer_hk = p_request.customer_hk
    ) as a
    inner join gateway.ai_provider_h as p on a.provider_hk = p.provider_hk;
    return v_row;
end
$$;

comment on function gateway.fn_note_attempts(gateway.api_request_s, gateway.api_request_attempt_s[], jsonb) is
'A row of api_request_s with who was chosen and what was tried, for a request that did not end at its first attempt.';
