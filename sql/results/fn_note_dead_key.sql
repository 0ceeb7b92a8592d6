-- The one place that a customer's own key passes when it dies: refused on the road while it was well, or refused when
-- its provider was asked. Whoever brought it is told once, until it is taken again.
create or replace function gateway.fn_note_dead_key(p_provider_key_hk bytea, p_error_class text) returns void
language plpgsql
set search_path = ''
as $$
begin
    perform gateway.fn_notify(h.customer_hk, 'provider_key.dead', jsonb_build_object(
        'provider', p.provider_bk, 'key_name', h.key_name, 'error_class', p_error_class, 'falls_back', s.falls_back
    ))
    from gateway.customer_provider_keys_h as h
    inner join gateway.customer_provider_keys_s as s
        on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
    inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
    where h.customer_provider_key_hk = p_provider_key_hk;
end
$$;

comment on function gateway.fn_note_dead_key(bytea, text) is
'Tells a customer that his own key has died; of a key of the house there is nobody to tell.';
