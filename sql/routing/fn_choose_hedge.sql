-- Whom to ask as well: the next candidate of another provider, once the first one takes longer than 95 of 100 of its
-- calls. Not before that is known, and nobody who would be asked, or asks, by a key that the customer pays for himself.
create or replace function gateway.fn_choose_hedge(p_candidates jsonb, p_is_streamed boolean) returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_build_object('hedge', jsonb_build_object(
        'after_ms', w.p95_ms, 'offer', c.candidate -> 'offer'
    ))
    from ops.offer_wait as w
    cross join jsonb_array_elements(p_candidates) with ordinality as c (candidate, place)
    where
        w.offer_hk = decode(p_candidates -> 0 ->> 'offer', 'hex') and w.is_streamed = p_is_streamed
        and c.candidate -> 'provider' <> p_candidates -> 0 -> 'provider'
        and not p_candidates -> 0 ? 'own_keys' and not c.candidate ? 'own_keys'
    order by c.place
    limit 1;
end;

comment on function gateway.fn_choose_hedge(jsonb, boolean) is
'{"hedge": {"after_ms": …, "offer": …}}: which candidate is asked as well, and when; NULL for none.';
