-- A call under way is settled in the windows that it was reserved in, by their numbers. When a tenant moves to another
-- time zone they have others.
create or replace function ops.fn_renumber_reservations(p_tenant_hks bytea[]) returns void
language sql
set search_path = ''
begin atomic
    update ops.reservation as r set
        day_number = util.fn_window_number(r.reserved_at at time zone n.time_zone, 'DAY'),
        month_number = util.fn_window_number(r.reserved_at at time zone n.time_zone, 'MONTH'),
        limits = (
            select jsonb_agg(t.taken || jsonb_build_object('window', coalesce(
                util.fn_window_number(r.reserved_at at time zone n.time_zone, l.period), (t.taken -> 'window')::integer
            )))
            from jsonb_array_elements(r.limits) as t (taken)
            left join ops.usage_limit as l on l.usage_limit_hk = decode(t.taken ->> 'limit', 'hex')
        )
    from auth.tenant_s as n
    where r.tenant_hk = any(p_tenant_hks) and n.tenant_hk = r.tenant_hk and n.load_end_date is null;
end;

comment on function ops.fn_renumber_reservations(bytea[]) is
'Gives the calls under way of these tenants the days, weeks and months of their time zones.';
