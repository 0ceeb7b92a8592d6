create or replace function admin.sp_read_key_validation(p_provider text, p_customer text, p_key_name text)
returns table (finding text, is_worker_at_work boolean)
language sql stable
security definer
set search_path = ''
begin atomic
    with clock as (
        select max(w.last_started_at) as last_started_at from ops.job as w
    )

    select
        coalesce(v.finding, 'unsupported'),
        -- The shortest of a worker's jobs comes every five seconds.
        coalesce(j.last_started_at > clock_timestamp() - interval '15 seconds', false)
    from (
        select case
            when p_customer is null then util.hash_key('house', p_provider, p_key_name)
            else gateway.fn_own_key_hk(p_customer, p_provider, p_key_name)
        end as key_hk
    ) as k
    cross join clock as j
    left join ops.key_validation as v on k.key_hk = v.provider_key_hk;
end;

comment on function admin.sp_read_key_validation(text, text, text) is
'What the provider of a key said of it when it was asked last, and whether a worker runs who asks.';
