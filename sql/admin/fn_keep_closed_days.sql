-- Days that stand on invoices are not changed under them.
create or replace function admin.fn_keep_closed_days(p_tenant_hk bytea, p_days datemultirange) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_period date;
begin
    -- A close that is under way is over first.
    perform pg_advisory_xact_lock_shared(hashtextextended('onevault close of a month', 0));
    select max(c.billing_period) into v_period
    from gateway.month_close_s as c
    where
        c.tenant_hk = p_tenant_hk
        and daterange(c.billing_period, (c.billing_period + interval '1 month')::date) && p_days;
    if v_period is not null then
        perform admin.fn_refuse_change(
            409, 'closed_days_are_kept',
            format('This changes days of %s, which is closed and invoiced', to_char(v_period, 'YYYY-MM')),
            format('Change days from %s on. For what was invoiced grant a promotion credit (admin.credit), or issue a '
                'credit note (admin.issue_credit_note).', (v_period + interval '1 month')::date)
        );
    end if;
end
$$;

comment on function admin.fn_keep_closed_days(bytea, datemultirange) is
'Refuses a change of days that lie in a closed month of the tenant.';
