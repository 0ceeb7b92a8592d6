-- Deliberately high: real tokenizers need three to five bytes a token, few texts fall under two.
create or replace function gateway.fn_estimate_prompt_tokens(p_bytes bigint, p_images integer, p_messages integer)
returns bigint
language sql immutable parallel safe
return (coalesce(p_bytes, 0) + 1) / 2 + 3000 * coalesce(p_images, 0) + 8 * coalesce(p_messages, 0) + 16;

comment on function gateway.fn_estimate_prompt_tokens(bigint, integer, integer) is
'Input tokens to reserve for: one per two bytes of text, 3,000 an image, 8 a message, and 16.';
