-- On a month while its copy is made: a change by hand would be lost with it. Bookings only add, and are brought.
create or replace function ops.tg_api_request_s_ordered() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    if to_regclass(format('gateway.%I', tg_table_name || '_ordered')) is not null then
        raise exception using
            errcode = 'VG409', constraint = 'month_is_not_being_ordered',
            message = format('Rows of %s are being put into the order of their customers.', tg_table_name),
            hint = 'Set is_active of "order months" in ops.job to false and call ops.fn_drop_copies(), then try again.';
    end if;
    return case tg_op when 'DELETE' then old else new end;
end
$$;
