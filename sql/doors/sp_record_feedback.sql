-- A score of a past request by whoever paid for it. The same score twice is one; another one takes its place.
create or replace function gateway.sp_record_feedback(
    p_token_digest bytea, p_request_id text, p_score numeric, p_client_ip text default null
) returns jsonb
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_principal ops.principal;
    v_refusal gateway.route_decision;
    v_request_hk bytea;
    v_request gateway.api_request_s;
    v_hash_diff bytea := util.hash_diff(trim_scale(p_score)::text);
begin
    perform set_config('synchronous_commit', 'on', true);
    select p.* into v_principal from ops.principal as p where p.token_digest = p_token_digest;
    v_refusal := gateway.fn_check_principal(v_principal, v_now, 'inference', p_client_ip);
    if v_refusal.status is not null then
        return gateway.fn_reply_refusal(v_refusal);
    elsif p_score is null or p_score not between 0 and 1 then
        return gateway.fn_reply_invalid('score', '`score` must be a number from 0 to 1.');
    elsif not pg_input_is_valid(p_request_id, 'uuid') then
        return gateway.fn_reply_invalid('request_id', '`request_id` must be the id that an answer came with.');
    end if;
    v_request_hk := uuid_send(p_request_id::uuid);
    select s.* into v_request
    from gateway.api_request_s as s
    where s.api_request_hk = v_request_hk and s.customer_hk = v_principal.customer_hk;
    if not found then
        return jsonb_build_object(
            'status', 'request_not_found', 'http_status', 404, 'param', 'request_id',
            'message', 'There is no finished request of yours with this id.',
            'detail', jsonb_build_object('param', 'request_id')
        );
    end if;
    -- Two scores of one request wait for each other, so that the later one is the last.
    perform pg_advisory_xact_lock(hashtextextended(p_request_id, 0));
    v_now := greatest(clock_timestamp(), v_now);
    insert into gateway.api_request_feedback_s (
        api_request_hk, customer_hk, load_date, hash_diff, offer_hk, request_type, score, record_source
    )
    select v_request_hk, v_principal.customer_hk, v_now, v_hash_diff, v_request.offer_hk, v_request.request_type, p_score, 'feedback'
    where v_hash_diff is distinct from (
        select f.hash_diff
        from gateway.api_request_feedback_s as f
        where f.api_request_hk = v_request_hk and f.customer_hk = v_principal.customer_hk
        order by f.load_date desc
        limit 1
    );
    return gateway.fn_reply_body(jsonb_build_object(
        'request_id', p_request_id::uuid, 'score', trim_scale(p_score), 'model', v_request.model_used
    ));
end
$$;

comment on function gateway.sp_record_feedback(bytea, text, numeric, text) is
'Books a customer''s score, 0 to 1, of one of his own finished requests; a later one takes its place.';
