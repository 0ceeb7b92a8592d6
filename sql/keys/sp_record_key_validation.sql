-- What a provider said of a key is a new version of it. A key that was set anew or sealed anew meanwhile is another
-- one: the finding is about what was (the fingerprint tells), and the worker asks again. Who could not be asked leaves
-- the key as it is, and is asked again: in a minute, then two, at most hourly, and for two days.
create or replace function gateway.sp_record_key_validation(p_key text, p_fingerprint text, p_finding text) returns void
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_key_hk bytea := decode(p_key, 'hex');
    v_reason_before text := current_setting('onevault.change_reason', true);
    v_satellite regclass;
    v_key jsonb;
    v_found record;
begin
    select k.* into v_found from gateway.fn_find_key(v_key_hk) as k;
    if not found then
        return;
    end if;
    v_satellite := case when v_found.customer_hk is null then 'gateway.ai_provider_key_s'
        else 'gateway.customer_provider_keys_s' end;
    v_key := jsonb_build_object(
        case when v_found.customer_hk is null then 'provider_key_hk' else 'customer_provider_key_hk' end, v_key_hk
    );
    perform util.fn_lock_satellite(v_satellite, v_key);
    select k.* into v_found from gateway.fn_find_key(v_key_hk) as k;
    if encode(v_found.key_fingerprint, 'hex') <> p_fingerprint or v_found.key_status <> 'ACTIVE' then
        return;
    end if;
    if p_finding in ('accepted', 'refused') then
        perform set_config('onevault.change_reason', p_finding || ' by the provider when it was asked', true);
        perform util.fn_load_satellite(
            v_satellite, v_key, jsonb_build_object('set_at', v_found.set_at) || case p_finding
                when 'accepted' then jsonb_build_object('last_validated', clock_timestamp())
                else '{"key_status": "EXPIRED"}'
            end, 'validation', '{api_key_encrypted,set_at}'
        );
        perform set_config('onevault.change_reason', coalesce(v_reason_before, ''), true);
    end if;
    if p_finding = 'refused' and v_found.customer_hk is not null then
        perform gateway.fn_note_dead_key(v_key_hk, 'auth_dead');
    end if;
    update ops.key_validation as v set
        finding = p_finding, found_at = clock_timestamp(),
        due_at = case when p_finding = 'unreachable' and v.asked_at > clock_timestamp() - interval '2 days'
            then clock_timestamp() + interval '1 minute' * least(power(2, least(v.tries - 1, 6)), 60) end
    where v.provider_key_hk = v_key_hk;
end
$$;

comment on function gateway.sp_record_key_validation(text, text, text) is
'Books what a provider said of a key: accepted (last_validated), refused (EXPIRED), unreachable (asked again later) or
unsupported.';
