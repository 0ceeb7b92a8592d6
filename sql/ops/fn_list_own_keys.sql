-- Laid out so that an offer finds its own by looking up two names, and a decision has nothing to compute. Among keys
-- that are taken, the one set last comes first: that is how keys are rotated. An expired one is no key, but where it
-- stays (does not fall back) nothing else is used in its place.
create or replace function ops.fn_list_own_keys(p_customer_hk bytea) returns jsonb
language sql stable
begin atomic
    with own as materialized (
        select
            ph.provider_bk, encode(h.customer_provider_key_hk, 'hex') as key_hk, s.allowed_models,
            s.key_status = 'ACTIVE' as is_active, not s.falls_back as stays,
            row_number() over (order by coalesce(s.set_at, s.load_date) desc, h.key_name) as place
        from gateway.customer_provider_keys_h as h
        inner join gateway.customer_provider_keys_s as s
            on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
        inner join gateway.ai_provider_h as ph on h.provider_hk = ph.provider_hk
        where
            h.customer_hk = p_customer_hk
            and (s.key_status = 'ACTIVE' or s.key_status = 'EXPIRED' and not s.falls_back)
    ),

    -- Names are model or provider/model; NULL is any model that no key names.
    models as (
        select o.provider_bk, null::text as model from own as o
        union
        select o.provider_bk, n.model
        from own as o
        cross join lateral unnest(o.allowed_models) as m (name)
        cross join lateral (
            values
            (m.name),
            (case when starts_with(m.name, o.provider_bk || '/') then substr(m.name, length(o.provider_bk) + 2) end)
        ) as n (model)
    ),

    picked as (
        select
            m.provider_bk, m.model,
            jsonb_build_object(
                'keys', jsonb_agg(o.key_hk order by o.place) filter (where o.is_active), 'stays', bool_or(o.stays)
            ) as pick
        from models as m
        inner join own as o
            on m.provider_bk = o.provider_bk
            and (
                o.allowed_models is null or m.model = any(o.allowed_models)
                or m.provider_bk || '/' || m.model = any(o.allowed_models)
            )
        group by m.provider_bk, m.model
    )

    select jsonb_object_agg(q.provider_bk, q.picks)
    from (
        select
            k.provider_bk,
            jsonb_build_object(
                'any', jsonb_agg(k.pick) filter (where k.model is null) -> 0,
                'models', coalesce(jsonb_object_agg(k.model, k.pick) filter (where k.model is not null), '{}')
            ) as picks
        from picked as k
        group by k.provider_bk
    ) as q;
end;

comment on function ops.fn_list_own_keys(bytea) is
'A customer''s own keys as ops.principal.own_keys holds them: by provider, for any model and for each that a key names,
the keys in the order in which they are tried (NULL for none) and whether nothing else is used. NULL for none at all.';
