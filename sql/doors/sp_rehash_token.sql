-- A front that knew a token by the digest of an older pepper stores the one of the current pepper. Fenced: only for the
-- token whose digest in force is shown, only while it may be used, and only to the master key that was announced.
create or replace function gateway.sp_rehash_token(p_presented_digest bytea, p_token_digest bytea, p_key_id text)
returns text
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key jsonb;
    v_version integer;
begin
    if not exists (select from ops.master_key as m where m.key_id = p_key_id) then
        return 'not_yet';
    end if;
    select jsonb_build_object('token_hk', s.token_hk) into v_key
    from gateway.token_s as s
    where s.token_digest = p_presented_digest and s.load_end_date is null;
    if v_key is null or octet_length(p_token_digest) is distinct from 32 then
        return 'gone';
    end if;
    perform util.fn_lock_satellite('gateway.token_s', v_key);
    select s.pepper_version into v_version
    from gateway.token_s as s
    where
        s.token_digest = p_presented_digest and s.load_end_date is null and s.token_status = 'ACTIVE'
        and coalesce(s.expires_at > util.current_load_date(), true)
        and not exists (
            select from gateway.token_s as o where o.token_digest = p_token_digest and o.load_end_date is null
        );
    if v_version is null then
        return 'gone';
    end if;
    perform util.fn_load_satellite(
        'gateway.token_s', v_key, jsonb_build_object(
            'token_digest', p_token_digest, 'pepper_version', least(v_version + 1, 32767), 'pepper_key_id', p_key_id
        ), 'gateway'
    );
    return 'done';
end
$$;

comment on function gateway.sp_rehash_token(bytea, bytea, text) is
'Stores a token''s digest under the current pepper, proved by the older one: done, gone (no such token, or somebody was
first), or not_yet (this master key is not announced).';
