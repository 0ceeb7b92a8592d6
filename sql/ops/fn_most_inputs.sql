-- What is known of a kind of server where its operator has not said it of a model. None is split into several calls:
-- an attempt in the books is one call of a provider, which one invoice line, one status and one time are compared with.
create or replace function ops.fn_most_inputs(p_adapter_kind text, p_capabilities text[], p_said integer)
returns integer
language sql immutable parallel safe
return case
    when not 'embedding' = any(p_capabilities) then null
    when p_said is not null then p_said
    when p_adapter_kind = 'cohere' then 96
    when p_adapter_kind = 'google' then 100
    when p_adapter_kind = 'voyage' then 1000
end;

comment on function ops.fn_most_inputs(text, text[], integer) is
'The most texts that a model embeds in one call: as said of it, else of its kind of provider; NULL where none is known
below the 2,048 of every call.';
