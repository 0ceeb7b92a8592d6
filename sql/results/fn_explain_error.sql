-- A sentence of ours for each class: a provider's own words may quote the prompt.
create or replace function gateway.fn_explain_error(p_class text) returns text
language sql immutable parallel safe
return case p_class
    when 'bad_request' then 'The provider refused the request as invalid.'
    when 'context_too_long' then 'The prompt was longer than the model can take.'
    when 'content_policy' then 'The provider refused the content.'
    when 'auth_dead' then 'The provider refused the key.'
    when 'money_dead' then 'The account at the provider has no money left.'
    when 'rate_limited' then 'The provider''s rate limit was reached.'
    when 'overloaded' then 'The provider was overloaded.'
    when 'server_error' then 'The provider failed.'
    when 'timeout' then 'The provider did not answer in time.'
    when 'connect' then 'The provider could not be reached.'
    when 'truncated_stream' then 'The provider broke off in the middle of its answer.'
    when 'client_gone' then 'The customer hung up.'
    when 'front_gone' then 'The front that held the request died.'
    when 'worker_lost' then 'The worker died in the middle of the answer.'
end;

comment on function gateway.fn_explain_error(text) is 'Our sentence for an error class; NULL for success.';
