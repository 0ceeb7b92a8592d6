-- ISO 8601 only: PostgreSQL itself would take 'tomorrow' too. Without a zone it is the tenant's local time.
create or replace function gateway.fn_read_moment(p_text text, p_time_zone text) returns timestamptz
language sql stable parallel safe
return case
    when not pg_input_is_valid(p_text, 'timestamptz') then null
    when p_text ~ '^[12]\d{3}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.]\d{1,6})?)?)?$'
        then p_text::timestamp at time zone p_time_zone
    when p_text ~ '^[12]\d{3}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,6})?)?(Z|[+-]\d\d:?\d\d)$' then p_text::timestamptz
end;

comment on function gateway.fn_read_moment(text, text) is
'A date or time in ISO 8601 as a moment; one without a zone is local to p_time_zone. NULL when it is neither.';
