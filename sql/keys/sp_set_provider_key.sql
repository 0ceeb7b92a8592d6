-- Told by its fingerprint: the same key adds no version, however often it is sealed anew. p_keeps_status leaves the
-- same key as it is, so that a start of the gateway does not bring back what a DBA revoked. A worker then asks
-- the provider whether it takes it.
create or replace function admin.sp_set_provider_key(
    p_provider text, p_customer text, p_key_name text, p_key_fingerprint bytea, p_api_key_encrypted bytea,
    p_encryption_key_id text, p_keeps_status boolean default false
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key_hk bytea := admin.sp_identify_provider_key(p_provider, p_customer, p_key_name);
    v_name text := case when coalesce(lower(btrim(p_key_name)), '') in ('', 'own', 'default') then 'own'
        else lower(btrim(p_key_name)) end;
    v_is_new boolean;
    v_payload jsonb := jsonb_build_object(
        'key_fingerprint', p_key_fingerprint, 'api_key_encrypted', p_api_key_encrypted,
        'encryption_key_id', p_encryption_key_id, 'key_status', 'ACTIVE', 'set_at', null
    ) || case
        when exists (select from gateway.fn_find_key(v_key_hk) as k where k.key_fingerprint = p_key_fingerprint) then '{}'
        else '{"last_validated": null}'::jsonb
    end;
begin
    if p_customer is null then
        if p_keeps_status and exists (
            select from gateway.ai_provider_key_s as s
            where s.provider_key_hk = v_key_hk and s.load_end_date is null and s.key_fingerprint = p_key_fingerprint
        ) then
            return false;
        end if;
        perform util.fn_load_hub(
            'gateway.ai_provider_key_h', v_key_hk, concat_ws('|', p_provider, p_key_name), session_user,
            jsonb_build_object('provider_hk', admin.fn_find_provider(p_provider))
        );
        v_is_new := admin.fn_save_satellite(
            'gateway.ai_provider_key_s', jsonb_build_object('provider_key_hk', v_key_hk),
            v_payload || jsonb_build_object('key_name', lower(btrim(p_key_name))), '{api_key_encrypted,set_at}'
        );
    else
        perform util.fn_load_hub(
            'gateway.customer_provider_keys_h', v_key_hk,
            concat_ws('|', p_customer, p_provider, nullif(v_name, 'own')), session_user,
            jsonb_build_object(
                'customer_hk', admin.fn_find_customer(p_customer), 'provider_hk', admin.fn_find_provider(p_provider),
                'key_name', v_name
            )
        );
        v_is_new := admin.fn_save_satellite(
            'gateway.customer_provider_keys_s', jsonb_build_object('customer_provider_key_hk', v_key_hk), v_payload,
            '{api_key_encrypted,set_at}'
        );
    end if;
    -- Set by hand, the same key is tried and asked about once more: there may be money on its account now.
    if v_is_new or not p_keeps_status then
        delete from ops.key_health as k where k.provider_key_hk = v_key_hk;
        perform gateway.fn_ask_key(v_key_hk);
    end if;
    return v_is_new;
end
$$;

comment on function admin.sp_set_provider_key(text, text, text, bytea, bytea, text, boolean) is
'Sets the house''s (p_customer NULL) or a customer''s key at a provider, sealed; true when it is another than before.';
