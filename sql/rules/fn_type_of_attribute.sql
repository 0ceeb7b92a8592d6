-- THE attributes of a call that a rule may ask for. gateway.fn_describe_call() gives their values.
create or replace function gateway.fn_type_of_attribute(p_attribute text) returns text
language sql immutable parallel safe
return case
    when p_attribute in (
        'request_type', 'capability', 'surface', 'priority', 'tier', 'tenant', 'customer', 'token', 'model'
    ) then 'text'
    when p_attribute in ('compliance', 'entitlements') then 'list'
    when p_attribute in (
        'prompt_tokens', 'max_output_tokens', 'max_cost', 'images', 'choices', 'hour', 'weekday', 'budget_used_percent'
    ) then 'number'
    when p_attribute in ('stream', 'tools', 'vision', 'structured') then 'boolean'
    when p_attribute ~ '^metadata(\.[A-Za-z0-9_-]{1,64}){1,4}$' then 'any'
end;

comment on function gateway.fn_type_of_attribute(text) is
'What a rule may compare an attribute with: text, number, boolean, list (texts, of which one must fit) or any
(metadata); NULL for an attribute that no call has.';
