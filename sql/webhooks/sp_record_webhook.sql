create or replace function gateway.sp_record_webhook(
    p_msg_id bigint, p_read_ct integer, p_http_status integer, p_error_class text, p_latency_ms integer,
    p_retry_after_ms bigint
) returns text
language sql
security definer
set search_path = ''
return gateway.fn_book_webhook(p_msg_id, p_read_ct, p_http_status, p_error_class, p_latency_ms, p_retry_after_ms);

comment on function gateway.sp_record_webhook(bigint, integer, integer, text, integer, bigint) is
'What a worker tells of a try: the endpoint''s status, or why there is none; see fn_book_webhook.';
