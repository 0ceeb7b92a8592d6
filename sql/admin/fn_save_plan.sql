-- What a plan costs at the end of a day is what the day costs, so a change is about today and later.
create or replace function admin.fn_save_plan(p_plan_hk bytea, p_row jsonb) returns boolean
language plpgsql
set search_path = ''
as $$
begin
    perform admin.fn_keep_closed_days(
        l.tenant_hk, datemultirange(daterange(d.today, null)) * datemultirange(daterange(s.valid_from, s.valid_to))
    )
    from gateway.plan_s as p
    inner join gateway.subscription_l as l on p.plan_hk = l.plan_hk
    inner join gateway.subscription_s as s on l.subscription_hk = s.subscription_hk and s.load_end_date is null
    inner join auth.tenant_s as t on l.tenant_hk = t.tenant_hk and t.load_end_date is null
    cross join lateral (values ((util.current_load_date() at time zone t.time_zone)::date)) as d (today)
    where
        p.plan_hk = p_plan_hk and p.load_end_date is null and s.valid_to > d.today
        and to_jsonb(p) @> (p_row - '{entitlements,is_active}'::text[]) is false;
    return admin.fn_save_satellite('gateway.plan_s', jsonb_build_object('plan_hk', p_plan_hk), p_row);
end
$$;

comment on function admin.fn_save_plan(bytea, jsonb) is
'Loads a version of a plan; true when it is a new one. Refuses to change what a closed month costs.';
