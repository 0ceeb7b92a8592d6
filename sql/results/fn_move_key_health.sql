-- A refused key rests a minute, then two, four … at most an hour. A customer's own at its rate limit rests as long as
-- the provider asks, else a second, then two … at most a minute: the limit is the key's, and others are well. Calls
-- that were under way together are one refusal; but a key that was only limited may turn out to be dead. In key order.
create or replace function gateway.fn_move_key_health(p_results jsonb, p_now timestamptz) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_key record;
    v_moved record;
begin
    for v_key in
        select
            t.key_hk,
            bool_or(t.attempt ->> 'outcome' = 'SUCCESS') as is_taken,
            coalesce(
                max(t.attempt ->> 'class') filter (where t.attempt ->> 'class' = any('{auth_dead,money_dead}')),
                max(t.attempt ->> 'class') filter (
                    where t.attempt ->> 'class' = 'rate_limited' and o.customer_hk is not null
                )
            ) as error_class,
            max((t.attempt ->> 'retry_after_ms')::bigint) as retry_after_ms
        from (
            select a.attempt, decode(a.attempt ->> 'key', 'hex') as key_hk
            from jsonb_array_elements(p_results) as r (result)
            cross join lateral jsonb_array_elements(r.result -> 'attempts') as a (attempt)
            -- Without a status nobody was asked: it rested.
            where a.attempt ->> 'key' is not null and a.attempt ->> 'http_status' is not null
        ) as t
        left join gateway.customer_provider_keys_h as o on t.key_hk = o.customer_provider_key_hk
        group by t.key_hk
        order by t.key_hk
    loop
        if v_key.is_taken then
            delete from ops.key_health as k where k.provider_key_hk = v_key.key_hk;
        elsif v_key.error_class is not null then
            insert into ops.key_health as k (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
            values (
                v_key.key_hk, 1, v_key.error_class, p_now,
                p_now + gateway.fn_rest_of_key(v_key.error_class, 0, v_key.retry_after_ms)
            )
            on conflict (provider_key_hk) do update set
                refusals = k.refusals + 1, last_error_class = excluded.last_error_class,
                last_refused_at = excluded.last_refused_at,
                rests_until = excluded.last_refused_at
                + gateway.fn_rest_of_key(excluded.last_error_class, k.refusals, v_key.retry_after_ms)
            where
                k.rests_until <= excluded.last_refused_at
                or k.last_error_class = 'rate_limited' and excluded.last_error_class <> 'rate_limited'
            returning old.last_error_class as was into v_moved;
            if
                found and v_key.error_class <> 'rate_limited'
                and coalesce(v_moved.was, 'rate_limited') = 'rate_limited'
            then
                perform gateway.fn_note_dead_key(v_key.key_hk, v_key.error_class);
            end if;
        end if;
    end loop;
end
$$;

comment on function gateway.fn_move_key_health(jsonb, timestamptz) is
'Counts refusals of keys and lets those rest; the first success ends it.';

create or replace function gateway.fn_rest_of_key(p_error_class text, p_refusals integer, p_retry_after_ms bigint)
returns interval
language sql immutable parallel safe
return case
    when p_error_class <> 'rate_limited' then interval '1 minute' * least(power(2, least(p_refusals, 6)), 60)
    when p_retry_after_ms is not null then make_interval(secs => least(p_retry_after_ms, 3600000) / 1000.0)
    else make_interval(secs => least(power(2, least(p_refusals, 6)), 60))
end;

comment on function gateway.fn_rest_of_key(text, integer, bigint) is
'How long a key rests that was not taken, after so many refusals before.';
