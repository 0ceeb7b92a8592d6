-- A secret sealed anew is a new version of its row, made by the one loader. What somebody changed since it was read is
-- left as he made it.
create or replace function admin.sp_rewrap_secret(
    p_kind text, p_row_hk bytea, p_was_sealed bytea, p_sealed bytea, p_fingerprint bytea, p_master_key_id text
) returns boolean
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_satellite regclass := case p_kind
        when 'house key' then 'gateway.ai_provider_key_s'
        when 'customer key' then 'gateway.customer_provider_keys_s'
        when 'token fingerprint' then 'gateway.customer_config_s'
        when 'webhook secret' then 'gateway.webhook_secret_s'
        when 'export key' then 'gateway.usage_export_key_s'
    end::regclass;
    v_key jsonb := jsonb_build_object(case p_kind
        when 'house key' then 'provider_key_hk'
        when 'customer key' then 'customer_provider_key_hk'
        when 'webhook secret' then 'webhook_secret_hk'
        when 'export key' then 'usage_export_hk'
        else 'customer_hk'
    end, p_row_hk);
    v_column text;
begin
    perform util.fn_lock_satellite(v_satellite, v_key);
    if not exists (
        select from ops.sealed_secret as s
        where s.kind = p_kind and s.row_hk = p_row_hk and s.sealed = p_was_sealed
    ) then
        return false;
    end if;
    if p_kind = 'token fingerprint' then
        return admin.fn_save_satellite(v_satellite, v_key, jsonb_build_object('api_key_encrypted', p_sealed));
    end if;
    if p_kind in ('webhook secret', 'export key') then
        v_column := case p_kind when 'webhook secret' then 'secret_encrypted' else 'key_encrypted' end;
        return admin.fn_save_satellite(
            v_satellite, v_key,
            jsonb_build_object(
                v_column, p_sealed, 'encryption_key_id', p_master_key_id, 'key_fingerprint', p_fingerprint
            ), array[v_column]
        );
    end if;
    return admin.fn_save_satellite(
        v_satellite, v_key,
        jsonb_build_object(
            'api_key_encrypted', p_sealed, 'encryption_key_id', p_master_key_id, 'key_fingerprint', p_fingerprint,
            'set_at', coalesce(
                (
                    select coalesce(k.set_at, k.load_date) from gateway.ai_provider_key_s as k
                    where k.provider_key_hk = p_row_hk and k.load_end_date is null
                ),
                (
                    select coalesce(k.set_at, k.load_date) from gateway.customer_provider_keys_s as k
                    where k.customer_provider_key_hk = p_row_hk and k.load_end_date is null
                )
            )
        ), '{api_key_encrypted,set_at}'
    );
end
$$;

comment on function admin.sp_rewrap_secret(text, bytea, bytea, bytea, bytea, text) is
'Replaces a sealed secret by the same one sealed under another master key; false when it is no longer what it was.';
