-- What the worker needs to open a key, sealed as it lies here. The hash key is the identity it was sealed for, so a
-- ciphertext that was moved to another row does not open.
create or replace function gateway.sp_read_provider_key(p_provider_key_hk bytea)
returns table (api_key_encrypted bytea, encryption_key_id text, key_status text, identity bytea)
language sql stable
security definer
set search_path = ''
begin atomic
    select
        s.api_key_encrypted, s.encryption_key_id::text,
        case when k.rests_until > now() then 'RESTING' else s.key_status end::text, s.provider_key_hk
    from gateway.ai_provider_key_s as s
    left join ops.key_health as k on s.provider_key_hk = k.provider_key_hk
    where s.provider_key_hk = p_provider_key_hk and s.load_end_date is null
    union all
    select
        s.api_key_encrypted, s.encryption_key_id::text,
        case when k.rests_until > now() then 'RESTING' else s.key_status end::text, s.customer_provider_key_hk
    from gateway.customer_provider_keys_s as s
    left join ops.key_health as k on s.customer_provider_key_hk = k.provider_key_hk
    where s.customer_provider_key_hk = p_provider_key_hk and s.load_end_date is null;
end;

comment on function gateway.sp_read_provider_key(bytea) is
'A sealed provider key, the house''s or a customer''s, with its status (RESTING after a refusal) and the identity
(associated data) that opens it.';
