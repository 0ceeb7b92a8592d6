drop view if exists ops.key_breaker;
create view ops.key_breaker as
with brought as (
    select h.provider_key_hk, h.provider_hk, null as customer_bk, s.key_name
    from gateway.ai_provider_key_h as h
    inner join gateway.ai_provider_key_s as s on h.provider_key_hk = s.provider_key_hk and s.load_end_date is null
    union all
    select h.customer_provider_key_hk, h.provider_hk, c.customer_bk, h.key_name
    from gateway.customer_provider_keys_h as h
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
)

select
    p.provider_bk::text as provider,
    b.customer_bk::text as customer,
    b.key_name::text as key_name,
    case when k.rests_until > now() then 'open' else 'half open' end as state,
    k.refusals,
    k.last_error_class,
    k.last_refused_at,
    k.rests_until
from ops.key_health as k
inner join brought as b on k.provider_key_hk = b.provider_key_hk
inner join gateway.ai_provider_h as p on b.provider_hk = p.provider_hk;

comment on view ops.key_breaker is
'Keys that a provider did not take, the house''s and customers'' own: open, others of the same provider
are used; half open, it is tried again.';
comment on column ops.key_breaker.provider is 'Provider that refused it.';
comment on column ops.key_breaker.customer is 'Whose own it is; NULL for the house''s.';
comment on column ops.key_breaker.key_name is 'Name of the key, as in admin.provider_key.';
comment on column ops.key_breaker.state is 'open or half open; a key that is taken has no row.';
comment on column ops.key_breaker.refusals is 'Refusals since it was taken last.';
comment on column ops.key_breaker.last_error_class is
'auth_dead (401, 403), money_dead (402), or rate_limited for a customer''s own.';
comment on column ops.key_breaker.last_refused_at is 'When it was refused last.';
comment on column ops.key_breaker.rests_until is 'When it is tried again.';
