-- Among keys that are taken, the one set last comes first: that is how keys are rotated. An expired one is no key, but
-- where it stays (does not fall back) nothing else is used in its place.
create or replace function ops.fn_list_own_keys(p_customer_hk bytea) returns jsonb
language sql stable
begin atomic
    select jsonb_object_agg(p.provider_bk, p.keys)
    from (
        select
            ph.provider_bk,
            jsonb_agg(
                jsonb_strip_nulls(jsonb_build_object(
                    'key', encode(h.customer_provider_key_hk, 'hex'), 'models', to_jsonb(s.allowed_models),
                    'stays', nullif(not s.falls_back, false), 'expired', nullif(s.key_status = 'EXPIRED', false)
                )) order by coalesce(s.set_at, s.load_date) desc, h.key_name
            ) as keys
        from gateway.customer_provider_keys_h as h
        inner join gateway.customer_provider_keys_s as s
            on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
        inner join gateway.ai_provider_h as ph on h.provider_hk = ph.provider_hk
        where
            h.customer_hk = p_customer_hk
            and (s.key_status = 'ACTIVE' or s.key_status = 'EXPIRED' and not s.falls_back)
        group by ph.provider_bk
    ) as p;
end;

comment on function ops.fn_list_own_keys(bytea) is
'A customer''s own keys by provider as ops.principal.own_keys holds them; NULL for none.';
