create or replace function gateway.sp_record_usage_events(p_outcomes jsonb) returns integer
language sql
security definer
set search_path = ''
return gateway.fn_book_usage_events(p_outcomes);

comment on function gateway.sp_record_usage_events(jsonb) is
'What a worker tells of events that it was to hand over; see fn_book_usage_events.';
