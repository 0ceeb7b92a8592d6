-- The one place that a customer's own key passes when it dies: refused on the road while it was well, or refused when
-- its provider was asked. Whoever is to be told (event provider_key.dead) is told from here, with what it returns.
create or replace function gateway.fn_note_dead_key(p_provider_key_hk bytea, p_error_class text) returns jsonb
language sql stable
set search_path = ''
begin atomic
    select jsonb_build_object(
        'customer', c.customer_bk, 'provider', p.provider_bk, 'key_name', h.key_name, 'class', p_error_class,
        'falls_back', s.falls_back
    )
    from gateway.customer_provider_keys_h as h
    inner join gateway.customer_provider_keys_s as s
        on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
    where h.customer_provider_key_hk = p_provider_key_hk;
end;

comment on function gateway.fn_note_dead_key(bytea, text) is
'A customer''s own key has died: what there is to tell of it. NULL for a key of the house.';
