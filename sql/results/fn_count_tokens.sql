-- As many bytes a token as the answers of this model were found to have when the call was routed; one tokenizer cuts
-- prompts and answers alike. Four where nothing is known yet.
create or replace function gateway.fn_count_tokens(p_bytes bigint, p_prices jsonb) returns bigint
language sql immutable parallel safe
return ceil(p_bytes / coalesce((p_prices ->> 'bytes_per_token')::numeric, 4))::bigint;

comment on function gateway.fn_count_tokens(bigint, jsonb) is
'Tokens that so many bytes of text are estimated to be, by the prices that were pinned.';
