-- Workers that took a request and never told its end may have called a provider. Each stands in the books as an attempt
-- of unknown outcome, before those that are told: it costs the customer nothing, and says to whoever compares with the
-- provider's bill what that may hold. What is known to have flowed is charged, by one of the lost and no more.
create or replace function gateway.fn_book_lost_calls(
    p_reservation ops.reservation, p_result jsonb, p_lost integer, p_now timestamptz
) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_result jsonb := p_result;
    v_lost integer := p_lost;
    v_offer text := coalesce(p_reservation.told_offer, p_reservation.candidates -> 0 ->> 'offer');
    v_unknown jsonb := jsonb_build_object('offer', v_offer, 'outcome', 'UNKNOWN', 'class', 'worker_lost');
    v_key text;
begin
    if p_reservation.candidates @? '$[*].own_keys' then
        -- Whose key it was decides who pays the provider: the one that was told last, else the first of the offer's own.
        select case when p_reservation.told_offer is null then c.prices -> 'own_keys' ->> 0 else p_reservation.told_key end
        into v_key
        from jsonb_array_elements(p_reservation.candidates) as c (prices)
        where c.prices ->> 'offer' = v_offer;
        v_unknown := v_unknown || jsonb_build_object('key', v_key);
        if v_result #>> '{attempts,0,class}' = 'worker_lost' then
            v_result := jsonb_set(v_result, '{attempts,0}', (v_result #> '{attempts,0}') || jsonb_build_object(
                'offer', v_offer, 'key', v_key
            ));
        end if;
    end if;
    if v_result #>> '{attempts,0,class}' = 'worker_lost' then
        -- The front knows what was delivered of one of them.
        v_lost := v_lost - 1;
    elsif v_result -> 'attempts' <> '[]' then
        null;
    elsif p_reservation.told_output_bytes > 0 then
        v_lost := v_lost - 1;
        v_result := v_result || jsonb_build_object(
            'status', 'CANCELLED', 'class', 'worker_lost', 'attempts', jsonb_build_array(jsonb_build_object(
                'number', 1, 'offer', v_offer, 'key', v_key, 'outcome', 'CANCELLED', 'class', 'worker_lost',
                'output_bytes', p_reservation.told_output_bytes
            ))
        );
    else
        v_result := v_result || '{"status": "UNKNOWN", "class": "worker_lost"}';
    end if;

    for i in 1 .. v_lost loop
        insert into gateway.api_request_attempt_s
        select a.*
        from jsonb_array_elements(p_reservation.candidates) as c (prices)
        cross join lateral gateway.fn_make_attempt(
            p_reservation.api_request_hk, p_reservation.customer_hk, i, p_now, v_unknown, c.prices,
            gateway.fn_price_attempt(v_unknown, c.prices, 0), false, p_reservation.compliance_flags
        ) as a
        where c.prices ->> 'offer' = v_offer;
    end loop;

    return v_result || jsonb_build_object('lost', v_lost);
end
$$;

comment on function gateway.fn_book_lost_calls(ops.reservation, jsonb, integer, timestamptz) is
'Books the calls of workers that were lost as attempts of unknown outcome; returns the result with what follows from
them: its status, and in "lost" how many there are.';
