-- gpt-5, gpt-5-2026-03-01 and, in a list of costs, "GPT-5" are one model, as are gpt-4 and gpt-4-0613: what calls are
-- routed to need not name the version that answers.
create or replace function ops.fn_name_usage_model(p_name text) returns text
language sql immutable parallel safe
return regexp_replace(
    regexp_replace(lower(btrim(p_name)), '[ .]', '-', 'g'),
    '-(20[0-9]{2}-?[0-9]{2}-?[0-9]{2}|(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])|latest)$', ''
);

comment on function ops.fn_name_usage_model(text) is
'What a provider calls a model, without case, dots and the date of its version: two names are compared by this.';
