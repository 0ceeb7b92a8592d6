-- A worker's sign of life: it keeps its messages hidden and tells how far each answer has got, so that what flowed is
-- known when worker and front are both lost. Said about a message that went to another, or back, it moves nothing.
create or replace function gateway.sp_renew_messages(p_messages jsonb, p_visible_again_seconds integer) returns integer
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_until timestamptz := clock_timestamp() + make_interval(secs => p_visible_again_seconds);
    v_queue text;
    v_kept jsonb[];
begin
    for v_queue in select distinct m.given ->> 'queue' from jsonb_array_elements(p_messages) as m (given) order by 1 loop
        v_kept := v_kept || gateway.fn_show_messages(v_queue, p_messages, v_until, false);
    end loop;
    if v_kept is null then
        return 0;
    end if;
    update ops.reservation as r set
        told_at = clock_timestamp(),
        told_offer = coalesce(m.offer, r.told_offer),
        told_key = case when m.offer is null then r.told_key else m.key end,
        told_output_bytes = greatest(r.told_output_bytes, m.output_bytes),
        request_state = case when m.output_bytes > 0 then 'streaming' else r.request_state end
    from jsonb_to_recordset(p_messages) as m (request uuid, customer text, output_bytes bigint, offer text, key text)
    where
        m.request is not null and r.api_request_hk = uuid_send(m.request)
        and r.customer_hk = decode(m.customer, 'hex')
        and exists (select from unnest(v_kept) as k (message) where k.message ->> 'request' = m.request::text);
    return cardinality(v_kept);
end
$$;

comment on function gateway.sp_renew_messages(jsonb, integer) is
'Keeps messages ({queue, msg_id, read_ct} and request, customer, offer, key, output_bytes) invisible for longer and
notes how far they got; returns how many were still the caller''s.';
