-- Brings ops.provider_rate to what the vault says for some providers; what is used up of a limit stays so.
create or replace function ops.fn_refresh_provider_rates(p_provider_hks bytea[]) returns void
language plpgsql
set search_path = ''
as $$
begin
    delete from ops.provider_rate as r
    where r.provider_hk = any(p_provider_hks) and not exists (
        select from gateway.ai_provider_s as s
        where s.provider_hk = r.provider_hk and s.load_end_date is null and s.requests_per_minute_limit is not null
    );
    insert into ops.provider_rate as r (provider_hk, step_us, burst_us)
    select s.provider_hk, b.step_us, b.step_us * b.burst
    from gateway.ai_provider_s as s
    cross join lateral (
        select ceil(s.requests_per_minute_limit / 10.0)::bigint as burst
    ) as t
    cross join lateral (
        select t.burst, 60000000 / greatest(s.requests_per_minute_limit - t.burst, 1) as step_us
    ) as b
    where
        s.provider_hk = any(p_provider_hks) and s.load_end_date is null and s.requests_per_minute_limit is not null
    order by s.provider_hk
    on conflict (provider_hk) do update set step_us = excluded.step_us, burst_us = excluded.burst_us;
end
$$;

comment on function ops.fn_refresh_provider_rates(bytea[]) is
'Brings ops.provider_rate to what the vault says for these providers.';
