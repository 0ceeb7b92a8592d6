-- Only those functions that tables depend on by default or check; all others live in sql/.
set local role onevault_owner;

create function util.current_load_date() returns timestamptz
language sql volatile parallel safe
return clock_timestamp();

comment on function util.current_load_date() is
'The one clock: load dates are wall clock, so two changes in one transaction stay in order.';

create function util.fn_is_json_numbers(p_document jsonb) returns boolean
language sql immutable parallel safe
return p_document is null or not jsonb_path_exists(p_document, 'strict $.** ? (@.type() == "string")');

comment on function util.fn_is_json_numbers(jsonb) is
'True when a document holds no text value: such a column cannot keep a word of a prompt or an answer.';
