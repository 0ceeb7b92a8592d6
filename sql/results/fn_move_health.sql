-- A healthy offer costs nothing: its row is written by failures, and by the first success after them. In key
-- order, since two batches may fail on the same offers. A key that is refused is the key's failure, not the offer's.
create or replace function gateway.fn_move_health(p_results jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_offer record;
    v_key record;
    v_is_new boolean;
begin
    for v_offer in
        select
            decode(a.attempt ->> 'offer', 'hex') as offer_hk,
            count(*) filter (where a.attempt ->> 'outcome' = 'SUCCESS') as successes,
            count(*) filter (where
                a.attempt ->> 'class' = any(
                    '{overloaded,server_error,timeout,connect,truncated_stream,rate_limited,auth_dead,money_dead}'
                ) and not (a.attempt ->> 'class' = any('{auth_dead,money_dead}') and a.attempt ->> 'key' is not null)
            ) as failures,
            max(a.attempt ->> 'class') as error_class,
            max((a.attempt ->> 'retry_after_ms')::bigint) as retry_after_ms
        from jsonb_array_elements(p_results) as r (result)
        cross join lateral jsonb_array_elements(r.result -> 'attempts') as a (attempt)
        group by decode(a.attempt ->> 'offer', 'hex')
        order by 1
    loop
        if v_offer.successes > 0 then
            update ops.offer_health as h set consecutive_failures = 0, rests_until = null
            where h.offer_hk = v_offer.offer_hk and (h.consecutive_failures > 0 or h.rests_until is not null);
        elsif v_offer.failures > 0 then
            insert into ops.offer_health as h (offer_hk, consecutive_failures, last_error_class, last_failed_at)
            values (v_offer.offer_hk, v_offer.failures, v_offer.error_class, v_now)
            on conflict (offer_hk) do update set
                consecutive_failures = h.consecutive_failures + excluded.consecutive_failures,
                last_error_class = excluded.last_error_class, last_failed_at = excluded.last_failed_at;
            -- Rests for what the provider asked, and from the third failure on 1, 2, 4 … seconds; at most 60.
            update ops.offer_health as h set rests_until = greatest(
                h.rests_until,
                case when v_offer.retry_after_ms is not null
                    then v_now + make_interval(secs => least(v_offer.retry_after_ms, 60000) / 1000.0) end,
                case when h.consecutive_failures >= 3
                    then v_now + make_interval(secs => least(power(2, least(h.consecutive_failures - 3, 6)), 60)) end
            )
            where h.offer_hk = v_offer.offer_hk;
        end if;
    end loop;
    for v_key in
        select
            decode(a.attempt ->> 'key', 'hex') as key_hk,
            bool_or(a.attempt ->> 'outcome' = 'SUCCESS') as is_taken,
            max(a.attempt ->> 'class') filter (where a.attempt ->> 'class' = any('{auth_dead,money_dead}')) as error_class
        from jsonb_array_elements(p_results) as r (result)
        cross join lateral jsonb_array_elements(r.result -> 'attempts') as a (attempt)
        -- Without a status nobody was asked: it rested.
        where a.attempt ->> 'key' is not null and a.attempt ->> 'http_status' is not null
        group by decode(a.attempt ->> 'key', 'hex')
        order by 1
    loop
        if v_key.is_taken then
            delete from ops.key_health as k where k.provider_key_hk = v_key.key_hk;
        elsif v_key.error_class is not null then
            -- A minute, then two, four … at most an hour; calls that were under way together are one refusal.
            insert into ops.key_health as k (provider_key_hk, refusals, last_error_class, last_refused_at, rests_until)
            values (v_key.key_hk, 1, v_key.error_class, v_now, v_now + interval '1 minute')
            on conflict (provider_key_hk) do update set
                refusals = k.refusals + 1, last_error_class = excluded.last_error_class,
                last_refused_at = excluded.last_refused_at,
                rests_until = excluded.last_refused_at + interval '1 minute' * least(power(2, least(k.refusals, 6)), 60)
            where k.rests_until <= excluded.last_refused_at
            returning old.provider_key_hk is null into v_is_new;
            -- Whoever brought the key is told once, until it is taken again.
            if v_is_new then
                perform gateway.fn_notify(
                    h.customer_hk, 'provider_key.dead',
                    jsonb_build_object('provider', p.provider_bk, 'error_class', v_key.error_class)
                )
                from gateway.customer_provider_keys_h as h
                inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
                where h.customer_provider_key_hk = v_key.key_hk;
            end if;
        end if;
    end loop;
end
$$;

comment on function gateway.fn_move_health(jsonb) is
'Counts failures of offers and refusals of keys, and lets those rest; the first success ends it.';
