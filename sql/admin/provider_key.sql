drop view if exists admin.provider_key;
drop view if exists admin.provider_key_history;
create view admin.provider_key_history as
select
    p.provider_bk::text as provider,
    null::text as customer,
    s.key_name::text as key_name,
    s.key_status::text as key_status,
    left(encode(s.key_fingerprint, 'hex'), 8) as key_fingerprint,
    s.encryption_key_id::text as encryption_key_id,
    null::numeric as daily_spending_limit,
    null::numeric as monthly_spending_limit,
    null::text[] as allowed_models,
    null::boolean as falls_back,
    s.provider_key_id::text as provider_key_id,
    s.last_validated,
    coalesce(s.set_at, s.load_date) as set_at,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.ai_provider_key_h as h
inner join gateway.ai_provider_key_s as s on h.provider_key_hk = s.provider_key_hk
inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
union all
select
    p.provider_bk::text,
    c.customer_bk::text,
    h.key_name::text,
    s.key_status::text,
    left(encode(s.key_fingerprint, 'hex'), 8),
    s.encryption_key_id::text,
    trim_scale(s.daily_spending_limit),
    trim_scale(s.monthly_spending_limit),
    s.allowed_models,
    s.falls_back,
    null::text,
    s.last_validated,
    coalesce(s.set_at, s.load_date),
    s.load_date,
    s.load_end_date,
    s.record_source::text,
    s.change_reason::text,
    s.ended_by::text,
    s.end_reason::text
from gateway.customer_provider_keys_h as h
inner join gateway.customer_provider_keys_s as s on h.customer_provider_key_hk = s.customer_provider_key_hk
inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk;

create view admin.provider_key as
select
    k.provider, k.customer, k.key_name, k.key_status, k.key_fingerprint, k.encryption_key_id, k.daily_spending_limit,
    k.monthly_spending_limit, k.allowed_models, k.falls_back, k.provider_key_id,
    k.last_validated, k.set_at
from admin.provider_key_history as k
where util.fn_is_in_force(k.load_date, k.load_end_date);

comment on view admin.provider_key is
'Keys at providers, the house''s and those that customers brought, without what is secret. They are set by the commands
"onevault provider set" and "onevault provider key set"; DELETE revokes, the row stays in the list.';
comment on column admin.provider_key.provider is 'Provider that the key opens.';
comment on column admin.provider_key.customer is 'Customer who brought it; NULL for the house''s own.';
comment on column admin.provider_key.key_name is
'The house''s: default, or environment for one taken from a variable when the gateway started. A customer''s: own, or
the name it was given.';
comment on column admin.provider_key.key_status is
'ACTIVE, REVOKED or EXPIRED (refused by its provider when it was asked); only an active one is used.';
comment on column admin.provider_key.key_fingerprint is
'First signs of a keyed digest: tells whether a key is another one.';
comment on column admin.provider_key.encryption_key_id is 'Master key that it is sealed under.';
comment on column admin.provider_key.daily_spending_limit is
'USD that the provider may ask for calls by a customer''s key in a day of his tenant''s; NULL for any.';
comment on column admin.provider_key.monthly_spending_limit is
'USD that the provider may ask for calls by a customer''s key in a month of his tenant''s; NULL for any.';
comment on column admin.provider_key.allowed_models is 'Models that a customer''s key is used for; NULL for all.';
comment on column admin.provider_key.falls_back is
'Whether the house''s key is used, at its price, where a customer''s was not taken; NULL for the house''s.';
comment on column admin.provider_key.provider_key_id is
'What the provider calls a key of the house in its reports of usage, such as key_… or apikey_…; NULL for not known.';
comment on column admin.provider_key.last_validated is 'When its provider was asked last and took it.';
comment on column admin.provider_key.set_at is 'When it was set or changed last.';

comment on view admin.provider_key_history is 'Every version of every key at a provider.';
comment on column admin.provider_key_history.provider is 'Provider that the key opens.';
comment on column admin.provider_key_history.customer is 'Customer who brought it; NULL for the house''s own.';
comment on column admin.provider_key_history.key_name is 'Name of the key at this provider.';
comment on column admin.provider_key_history.key_status is 'ACTIVE, REVOKED or EXPIRED.';
comment on column admin.provider_key_history.key_fingerprint is 'First signs of a keyed digest.';
comment on column admin.provider_key_history.encryption_key_id is 'Master key that it was sealed under.';
comment on column admin.provider_key_history.daily_spending_limit is 'USD a day; NULL for none.';
comment on column admin.provider_key_history.monthly_spending_limit is 'USD a month; NULL for none.';
comment on column admin.provider_key_history.allowed_models is 'Models that it was used for; NULL for all.';
comment on column admin.provider_key_history.falls_back is
'Whether the house''s key was used where a customer''s was not taken.';
comment on column admin.provider_key_history.provider_key_id is 'What the provider calls it; NULL for not known.';
comment on column admin.provider_key_history.last_validated is 'When its provider was asked last and took it.';
comment on column admin.provider_key_history.set_at is
'When the key itself was set or changed; sealing it anew is a version, and no change.';
comment on column admin.provider_key_history.load_date is 'Since when this version holds.';
comment on column admin.provider_key_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.provider_key_history.record_source is 'SQL user who made this version.';
comment on column admin.provider_key_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.provider_key_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.provider_key_history.end_reason is 'Why it was deleted.';
