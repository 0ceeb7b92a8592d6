-- Many results, one commit. First the messages are deleted, fenced by (msg_id, read_ct): a worker whose message went to
-- another has nothing to settle. Then each is settled and all are written at once. What had been settled before is told
-- from the books.
create or replace function gateway.sp_record_results(p_batch jsonb) returns table (ordinal integer, receipt text)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_owned bigint[];
    v_told_before integer[] := '{}';
    v_result jsonb;
    v_settled record;
    v_is_settled boolean;
    v_requests gateway.api_request_s[] := '{}';
    v_attempts gateway.api_request_attempt_s[] := '{}';
    v_days integer[] := '{}';
    v_months integer[] := '{}';
    v_token_is_limited boolean[] := '{}';
    v_limits jsonb := '[]';
    v_failed boolean := false;
    v_durable text := set_config('synchronous_commit', 'on', true);
begin
    v_owned := gateway.fn_delete_messages(p_batch);
    for v_number in 1 .. jsonb_array_length(p_batch) loop
        v_result := p_batch -> (v_number - 1);
        v_is_settled := false;
        if v_number = any(v_owned) then
            v_settled := gateway.fn_settle_result(v_result);
            v_is_settled := v_settled.receipt is not null;
        end if;
        if not v_is_settled then
            v_told_before := v_told_before || v_number;
        else
            v_requests := v_requests || v_settled.request;
            v_attempts := v_attempts || v_settled.attempts;
            v_days := v_days || v_settled.day_number;
            v_months := v_months || v_settled.month_number;
            v_token_is_limited := v_token_is_limited || v_settled.token_is_limited;
            if v_settled.limits is not null then
                v_limits := v_limits || v_settled.limits;
            end if;
            ordinal := v_number;
            receipt := v_settled.receipt::text;
            return next;
        end if;
        v_failed := v_failed or v_result ->> 'status' <> 'SUCCESS'
            or jsonb_array_length(v_result -> 'attempts') > 1;
    end loop;
    perform gateway.fn_write_bookings(v_requests, v_attempts, v_days, v_months, v_token_is_limited, v_limits);
    foreach ordinal in array v_told_before loop
        v_result := p_batch -> (ordinal - 1);
        receipt := coalesce(
            gateway.fn_read_receipt(
                uuid_send((v_result ->> 'request')::uuid), decode(v_result ->> 'customer', 'hex'), false
            ),
            jsonb_build_object('settled', false, 'status', 'FENCED', 'request_id', v_result ->> 'request')
        )::text;
        return next;
    end loop;
    if v_failed or exists (select from ops.offer_health as h where h.consecutive_failures > 0)
        or exists (select from ops.key_health) then
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
