-- A healthy offer costs nothing: its row is written by failures, and by the first success after them. In key
-- order, since two batches may fail on the same offers. What is a key's failure is not the offer's: that it
-- was refused, and where it is a customer's own, that it reached its rate limit.
create or replace function gateway.fn_move_health(p_results jsonb) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_now timestamptz := util.current_load_date();
    v_offer record;
begin
    for v_offer in
        select
            decode(a.attempt ->> 'offer', 'hex') as offer_hk,
            count(*) filter (where a.attempt ->> 'outcome' = 'SUCCESS') as successes,
            count(*) filter (where
                a.attempt ->> 'class' = any(
                    '{overloaded,server_error,timeout,connect,truncated_stream,rate_limited,auth_dead,money_dead}'
                ) and not (a.attempt ->> 'class' = any('{auth_dead,money_dead}') and a.attempt ->> 'key' is not null)
                and not (a.attempt ->> 'class' = 'rate_limited' and o.customer_hk is not null)
            ) as failures,
            max(a.attempt ->> 'class') as error_class,
            max((a.attempt ->> 'retry_after_ms')::bigint) filter (where o.customer_hk is null) as retry_after_ms
        from jsonb_array_elements(p_results) as r (result)
        cross join lateral jsonb_array_elements(r.result -> 'attempts') as a (attempt)
        left join gateway.customer_provider_keys_h as o
            on decode(a.attempt ->> 'key', 'hex') = o.customer_provider_key_hk
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
    perform gateway.fn_move_key_health(p_results, v_now);
end
$$;

comment on function gateway.fn_move_health(jsonb) is
'Counts failures of offers and refusals of keys, and lets those rest; the first success ends it.';
