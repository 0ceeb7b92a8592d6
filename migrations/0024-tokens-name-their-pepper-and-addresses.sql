-- Which master key a token's digest was made with, and from where it may be used; when a key at a provider was set,
-- which sealing it anew does not change; and which master key digests are to be made with from now on.
set local role onevault_owner;

alter table gateway.token_s add column pepper_key_id text;
alter table gateway.token_s add column allowed_addresses cidr[];
-- squawk-ignore constraint-missing-not-valid
alter table gateway.token_s add constraint allowed_addresses_name_somebody check (
    cardinality(allowed_addresses) between 1 and 100 and array_position(allowed_addresses, null) is null
);

alter table ops.principal add column allowed_addresses cidr[];

alter table gateway.ai_provider_key_s add column set_at timestamptz;
alter table gateway.customer_provider_keys_s add column set_at timestamptz;

create table ops.master_key (
    only_row boolean primary key default true,
    key_id text not null,
    announced_at timestamptz not null default util.current_load_date(),
    constraint there_is_one_row check (only_row),
    constraint key_id_is_16_hex_digits check (key_id ~ '^[0-9a-f]{16}$')
);

-- They take the caller's address from now on.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_check_principal(ops.principal, timestamptz, text);
-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_list_models(bytea);
-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_get_usage(bytea, jsonb);
-- squawk-ignore ban-drop-function
drop function if exists gateway.sp_get_billing(bytea, text);

comment on column gateway.token_s.pepper_version is
'How many digests this token has had: it gets another one at its first use under another master key.';
comment on column gateway.token_s.pepper_key_id is
'Master key whose pepper made the digest; NULL for a token that is older than this column.';
comment on column gateway.token_s.allowed_addresses is 'Networks that it may be used from; NULL for any.';
comment on column gateway.ai_provider_key_s.set_at is
'When the key was set, where it was sealed anew since; NULL where load_date tells.';
comment on column gateway.customer_provider_keys_s.set_at is
'When the key was set, where it was sealed anew since; NULL where load_date tells.';
comment on table ops.master_key is
'The master key that "onevault keys rotate" named last: digests of tokens move to this one and to no other.';
