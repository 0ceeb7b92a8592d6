-- A window of an earlier day, week or month begins again at zero; what is still held there is settled by its own
-- number.
create or replace function gateway.fn_take_limits(p_taken jsonb, p_now_us bigint) returns void
language sql
set search_path = ''
begin atomic
    update ops.usage_limit as l set
        window_number = t."window",
        spent = case when l.window_number = t."window" then l.spent else 0 end,
        held = case when l.window_number = t."window" then l.held else 0 end
            + case when t.us is null then t.held else 0 end,
        ceiling = case when l.is_hard and t.unit <> 'TOKENS' and t.us is null and t.key is null then t.allowed end,
        full_at_us = case
            when t.us is not null then greatest(l.full_at_us, p_now_us) + t.us else l.full_at_us
        end
    from jsonb_to_recordset(p_taken) as t (
        "limit" text, unit text, "window" integer, held numeric, allowed numeric, us bigint, key text
    )
    where l.usage_limit_hk = decode(t."limit", 'hex');
end;

comment on function gateway.fn_take_limits(jsonb, bigint) is
'Holds in each limit what fn_check_limits said that a call needs.';

create or replace function gateway.fn_charge_limits(
    p_limits jsonb, p_request gateway.api_request_s, p_attempts gateway.api_request_attempt_s[]
) returns jsonb
language sql immutable
set search_path = ''
begin atomic
    select jsonb_agg(t.taken || jsonb_build_object('used', case
        when t.taken ->> 'key' is not null then coalesce((
            select sum(a.own_key_cost) from unnest(p_attempts) as a
            where a.is_own_key and a.provider_key_hk = decode(t.taken ->> 'key', 'hex')
        ), 0)
        when coalesce(t.taken ->> 'provider' <> encode((p_request).provider_hk, 'hex'), false) then 0
        when coalesce(t.taken ->> 'model' <> (p_request).model_used, false) then 0
        when t.taken ->> 'unit' = 'USD' then (p_request).customer_cost
        when t.taken ->> 'unit' = 'TOKENS' then coalesce((p_request).total_tokens, 0)
        when t.taken ->> 'unit' = 'REQUESTS' then 1
        else 0
    end))
    from jsonb_array_elements(p_limits) as t (taken);
end;

comment on function gateway.fn_charge_limits(
    jsonb, gateway.api_request_s, gateway.api_request_attempt_s[]
) is 'What a request held in its limits, each with what it used of it in the end.';
