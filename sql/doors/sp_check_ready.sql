-- Ready means: a call could be routed and booked now. Names what is missing, in the order in which it would be mended.
create or replace function gateway.sp_check_ready() returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_reason text := case
        when pg_is_in_recovery() then 'The database is a standby: it can be read and not written.'
        when current_setting('transaction_read_only') = 'on' then 'The database takes no writes.'
        when to_regclass('gateway.api_request_s') is null or not exists (select from ops.job as j)
            then 'The schema is not installed. Run "onevault migrate".'
        when to_regclass('pgmq.q_premium') is null or to_regclass('pgmq.q_standard') is null
            or to_regclass('pgmq.q_basic') is null then 'A queue is missing. Run "onevault migrate".'
    end;
begin
    return jsonb_build_object('ready', v_reason is null, 'reason', v_reason);
end
$$;

comment on function gateway.sp_check_ready() is 'Whether calls can be routed and booked now, and if not, why.';
