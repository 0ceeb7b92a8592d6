-- Many results, one commit. First the messages are deleted, fenced by (msg_id, read_ct): a worker whose message
-- went to another has nothing to settle. Then each is booked in the order of tenant and customer, as routing locks
-- them.
create or replace function gateway.sp_record_results(p_batch jsonb) returns table (ordinal integer, receipt text)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_owned bigint[];
    v_order integer[];
    v_result jsonb;
    v_receipt jsonb;
    v_settled record;
    v_requests gateway.api_request_s[] := '{}';
    v_attempts gateway.api_request_attempt_s[] := '{}';
    v_failed boolean := false;
begin
    perform set_config('synchronous_commit', 'on', true);
    v_owned := gateway.fn_delete_messages(p_batch);
    select array_agg(b.ordinal::integer order by r.tenant_hk, r.customer_hk, b.ordinal) into v_order
    from jsonb_array_elements(p_batch) with ordinality as b (result, ordinal)
    -- One by one by their key: a table that fills and empties all day is never read whole.
    left join lateral (
        select k.tenant_hk, k.customer_hk
        from ops.reservation as k
        where
            k.api_request_hk = uuid_send((b.result ->> 'request')::uuid)
            and k.customer_hk = decode(b.result ->> 'customer', 'hex')
        limit 1
    ) as r on true;
    foreach ordinal in array coalesce(v_order, '{}') loop
        v_result := p_batch -> (ordinal - 1);
        v_receipt := null;
        if ordinal = any(v_owned) then
            v_settled := gateway.fn_settle_result(v_result);
            v_receipt := v_settled.receipt;
        end if;
        if v_receipt is not null then
            v_requests := v_requests || v_settled.request;
            v_attempts := v_attempts || v_settled.attempts;
        else
            -- It may have been booked by this very batch.
            perform gateway.fn_write_bookings(v_requests, v_attempts);
            v_requests := '{}';
            v_attempts := '{}';
            v_receipt := coalesce(
                gateway.fn_read_receipt(
                    uuid_send((v_result ->> 'request')::uuid), decode(v_result ->> 'customer', 'hex'), false
                ),
                jsonb_build_object('settled', false, 'status', 'FENCED', 'request_id', v_result ->> 'request')
            );
        end if;
        v_failed := v_failed or v_result ->> 'status' <> 'SUCCESS'
            or jsonb_array_length(v_result -> 'attempts') > 1;
        receipt := v_receipt::text;
        return next;
    end loop;
    perform gateway.fn_write_bookings(v_requests, v_attempts);
    if v_failed or exists (select from ops.offer_health as h where h.consecutive_failures > 0) then
        perform gateway.fn_move_health(p_batch);
    end if;
end
$$;

comment on function gateway.sp_record_results(jsonb) is
'Books a batch of results and deletes their messages in one transaction; idempotent by request and attempt.';

create or replace function gateway.sp_record_result(p_result jsonb) returns jsonb
language sql
security definer
set search_path = ''
begin atomic
    select r.receipt::jsonb from gateway.sp_record_results(jsonb_build_array(p_result)) as r;
end;

comment on function gateway.sp_record_result(jsonb) is 'Books one result; see sp_record_results.';
