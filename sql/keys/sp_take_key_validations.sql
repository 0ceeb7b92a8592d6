-- Asked with each tick of a worker's clock, and nearly always in vain: one look at a partial index that is empty. What
-- is taken is due again half a minute later, should the worker be lost with it.
create or replace function gateway.sp_take_key_validations(p_limit integer default 8)
returns table (key text, fingerprint text, kind text, endpoint text, settings text)
language plpgsql
security definer
set search_path = ''
as $$
begin
    if not exists (select from ops.key_validation as v where v.due_at <= clock_timestamp()) then
        return;
    end if;
    -- What is not in force any more has nothing to be asked.
    update ops.key_validation as v set due_at = null
    where v.due_at <= clock_timestamp() and not exists (
        select from gateway.fn_find_key(v.provider_key_hk) as k where k.key_status = 'ACTIVE'
    );
    return query
    with due as (
        select d.provider_key_hk from ops.key_validation as d
        where d.due_at <= clock_timestamp()
        order by d.due_at, d.provider_key_hk
        limit p_limit for update skip locked
    ),

    taken as (
        update ops.key_validation as v set tries = v.tries + 1, due_at = clock_timestamp() + interval '30 seconds'
        from due as d
        where v.provider_key_hk = d.provider_key_hk
        returning v.provider_key_hk
    )

    select
        encode(t.provider_key_hk, 'hex'), encode(k.key_fingerprint, 'hex'), s.adapter_kind::text, s.api_endpoint,
        s.adapter_settings::text
    from taken as t
    cross join lateral gateway.fn_find_key(t.provider_key_hk) as k
    inner join gateway.ai_provider_s as s on k.provider_hk = s.provider_hk and s.load_end_date is null;
end
$$;

comment on function gateway.sp_take_key_validations(integer) is
'Keys whose provider is to be asked now whether it takes them: hash key, fingerprint (to be given back with the
finding), and how to speak to the provider.';

create or replace function gateway.fn_find_key(p_provider_key_hk bytea)
returns table (
    customer_hk bytea, provider_hk bytea, key_status text, key_fingerprint bytea, set_at timestamptz
)
language sql stable
begin atomic
    select null::bytea, h.provider_hk, s.key_status::text, s.key_fingerprint, coalesce(s.set_at, s.load_date)
    from gateway.ai_provider_key_h as h
    inner join gateway.ai_provider_key_s as s on h.provider_key_hk = s.provider_key_hk and s.load_end_date is null
    where h.provider_key_hk = p_provider_key_hk
    union all
    select h.customer_hk, h.provider_hk, s.key_status::text, s.key_fingerprint, coalesce(s.set_at, s.load_date)
    from gateway.customer_provider_keys_h as h
    inner join gateway.customer_provider_keys_s as s
        on h.customer_provider_key_hk = s.customer_provider_key_hk and s.load_end_date is null
    where h.customer_provider_key_hk = p_provider_key_hk;
end;

comment on function gateway.fn_find_key(bytea) is
'A key in force, the house''s (customer_hk NULL) or a customer''s own, without its secret.';
