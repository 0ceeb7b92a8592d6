create or replace function ops.fn_load_performance(p_window jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_started_at timestamptz := p_window ->> 'started_at';
    v_name text := to_char(v_started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"');
    v_hk bytea := util.hash_key(p_window ->> 'provider_bk', v_name);
begin
    perform util.fn_load_hub(
        'gateway.provider_performance_h', v_hk, (p_window ->> 'provider_bk') || '|' || v_name, 'rollup',
        jsonb_build_object('provider_hk', p_window -> 'provider_hk')
    );
    return util.fn_load_satellite(
        'gateway.provider_performance_s', jsonb_build_object('performance_hk', v_hk), ops.fn_pack_performance(p_window), 'rollup'
    );
end
$$;

comment on function ops.fn_load_performance(jsonb) is 'Loads one measured window of a provider into the vault.';
