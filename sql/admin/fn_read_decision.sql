-- A booked request's decision with everything needed to make it again.
create or replace function admin.fn_read_decision(
    p_request_id uuid, out request_hk bytea, out customer_hk bytea, out decision jsonb, out decided_at timestamptz,
    out principal ops.principal, out features gateway.request_features, out prompt_tokens bigint, out route_reason text
)
language plpgsql
stable
set search_path = ''
as $$
begin
    select s.api_request_hk, s.customer_hk, s.decision, s.request_timestamp, s.route_reason
    into request_hk, customer_hk, decision, decided_at, route_reason
    from gateway.api_request_s as s where s.api_request_hk = uuid_send(p_request_id);
    if not found then
        perform admin.fn_refuse_change(
            404, 'request_is_booked', format('There is no booked request %s', p_request_id),
            'Use the request_id of an answer (x-onevault-request-id); one that is under way is booked when it is over.'
        );
    elsif decision is null then
        perform admin.fn_refuse_change(
            404, 'decision_is_kept', format('The decision about request %s was not kept', p_request_id),
            'It is from before decisions were kept.'
        );
    end if;
    features := gateway.fn_ask_again(decision -> 'asked');
    prompt_tokens := (decision #>> '{asked,prompt_tokens}')::bigint;
    select p.* into principal from ops.principal as p where p.version = (decision ->> 'principal')::bigint;
    if not found then
        select w.* into principal
        from ops.past as p
        cross join lateral jsonb_populate_record(null::ops.principal, p.was) as w
        where p.version = (decision ->> 'principal')::bigint and p.thing = 'principal';
    end if;
end
$$;

comment on function admin.fn_read_decision(uuid) is
'What is kept about the decision of a request: when, for whom as he was then, its features, and what was seen.';
