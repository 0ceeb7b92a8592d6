-- What is known of a kind of server where its operator has not said it of a model. None is split into several calls:
-- an attempt in the books is one call of a provider, which one invoice line, one status and one time are compared with.
create or replace function ops.fn_most_inputs(p_adapter_kind text) returns integer
language sql immutable parallel safe
return case p_adapter_kind when 'cohere' then 96 when 'google' then 100 when 'voyage' then 1000 end;

comment on function ops.fn_most_inputs(text) is
'The most texts that a kind of provider embeds in one call; NULL where none is known below the 2,048 of every call.';
