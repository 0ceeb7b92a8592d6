drop view if exists ops.key_breaker;
create view ops.key_breaker as
select
    p.provider_bk::text as provider,
    s.key_name::text as key_name,
    case when k.rests_until > now() then 'open' else 'half open' end as state,
    k.refusals,
    k.last_error_class,
    k.last_refused_at,
    k.rests_until
from ops.key_health as k
inner join gateway.ai_provider_key_h as h on k.provider_key_hk = h.provider_key_hk
inner join gateway.ai_provider_key_s as s on h.provider_key_hk = s.provider_key_hk and s.load_end_date is null
inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk;

comment on view ops.key_breaker is
'The house''s keys that a provider refused: open, others of the same provider are used; half open, it is tried again.';
comment on column ops.key_breaker.provider is 'Provider that refused it.';
comment on column ops.key_breaker.key_name is 'Name of the key, as in admin.provider_key.';
comment on column ops.key_breaker.state is 'open or half open; a key that is taken has no row.';
comment on column ops.key_breaker.refusals is 'Refusals since it was taken last.';
comment on column ops.key_breaker.last_error_class is 'auth_dead (401, 403) or money_dead (402).';
comment on column ops.key_breaker.last_refused_at is 'When it was refused last.';
comment on column ops.key_breaker.rests_until is 'When it is tried again.';
