-- What max_cost pays for is the caller's to spend. What budgets have left is shared with the calls after this one by
-- who named no length: he gets what nearly all such calls stay below, or, where nobody knows that yet, an eighth of
-- it. Below 64 tokens, and below what is usual or an eighth of what was asked for, an answer serves nobody.
create or replace function gateway.fn_shorten_answer(
    p_full_tokens integer, p_prompt_usd numeric, p_usd_per_token numeric, p_max_cost numeric, p_room_usd numeric,
    p_room_tokens numeric, p_usual_tokens integer, p_is_asked boolean
) returns integer
language plpgsql immutable
set search_path = ''
as $$
declare
    v_price numeric := nullif(p_usd_per_token, 0);
    v_usual_tokens integer := coalesce(p_usual_tokens, 256);
    v_left numeric := least(div(p_room_usd - p_prompt_usd, v_price), p_room_tokens);
begin
    if not p_is_asked and v_left is not null then
        v_left := least(v_left, coalesce(p_usual_tokens, greatest(v_usual_tokens, div(v_left, 8))));
    end if;
    return least(p_full_tokens, greatest(
        least(div(p_max_cost - p_prompt_usd, v_price), v_left, p_full_tokens),
        64, least(p_full_tokens / 8, case when not p_is_asked then v_usual_tokens end)
    ));
end
$$;

comment on function gateway.fn_shorten_answer(
    integer, numeric, numeric, numeric, numeric, numeric, integer, boolean
) is 'Output tokens that a call is given when max_cost, a budget or a limit of tokens does not pay for all of them.';

create or replace function gateway.fn_tell_limit(
    p_output_tokens integer, p_full_tokens integer, p_features gateway.request_features
) returns jsonb
language sql stable
return case
    when p_output_tokens < p_full_tokens then jsonb_build_object('max_output_tokens', p_output_tokens, 'by', case
        when (p_features).room_usd < (p_features).max_cost or (p_features).max_cost is null then 'budget'
        else 'max_cost'
    end)
end;

comment on function gateway.fn_tell_limit(integer, integer, gateway.request_features) is
'To how many output tokens a call was shortened, and by what; NULL if it was not.';
