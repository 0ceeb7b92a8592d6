-- The token itself is made and shown where the master key is. Here arrive its digest, a hint to tell it by, and a
-- sealed fingerprint that the customer's configuration keeps of the first one. Its bytes 2 to 9 name the master key
-- (see onevault/envelope.py), and so the one that the digest's pepper comes from.
create or replace function admin.sp_issue_token(
    p_customer text, p_token_digest bytea, p_token_hint text, p_sealed_fingerprint bytea, p_settings jsonb default '{}'
) returns table (tenant text, customer text, token_id text)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := admin.fn_find_customer(p_customer);
    v_token_id text := 'tok_' || substr(encode(sha256(p_token_digest), 'hex'), 1, 16);
    v_token_hk bytea := util.hash_key(v_token_id);
begin
    if (p_settings ->> 'expires_at')::timestamptz <= clock_timestamp() then
        perform admin.fn_refuse_change(
            400, 'expires_at_is_to_come', 'This token would have expired before it is used', 'Use a moment to come.'
        );
    end if;
    perform util.fn_load_hub(
        'gateway.token_h', v_token_hk, v_token_id, session_user, jsonb_build_object('customer_hk', v_customer_hk)
    );
    perform admin.fn_save_satellite(
        'gateway.token_s', jsonb_build_object('token_hk', v_token_hk),
        jsonb_strip_nulls(admin.fn_pack_token('{"token_name": "token"}' || jsonb_strip_nulls(p_settings)))
        || jsonb_build_object(
            'token_digest', p_token_digest, 'token_hint', p_token_hint, 'pepper_key_id', case
                when octet_length(p_sealed_fingerprint) >= 105 then encode(substr(p_sealed_fingerprint, 2, 8), 'hex')
            end
        )
    );
    if exists (
        select from gateway.customer_config_s as s
        where s.customer_hk = v_customer_hk and s.load_end_date is null and s.api_key_encrypted = '\x'
    ) then
        perform admin.fn_save_satellite(
            'gateway.customer_config_s', jsonb_build_object('customer_hk', v_customer_hk),
            jsonb_build_object('api_key_encrypted', p_sealed_fingerprint)
        );
    end if;
    return query
    select n.tenant_bk::text, c.customer_bk::text, v_token_id
    from gateway.customer_h as c
    inner join auth.tenant_h as n on c.tenant_hk = n.tenant_hk
    where c.customer_hk = v_customer_hk;
end
$$;

comment on function admin.sp_issue_token(text, bytea, text, bytea, jsonb) is
'Makes a token known by its digest; p_settings names columns of admin.token (token_name, expires_at, budgets, …).';
