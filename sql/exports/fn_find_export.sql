create or replace function admin.fn_find_export(p_export text) returns gateway.usage_export_s
language plpgsql
stable
set search_path = ''
as $$
declare
    v_export gateway.usage_export_s;
begin
    select s.* into v_export
    from gateway.usage_export_h as h
    inner join gateway.usage_export_s as s on h.usage_export_hk = s.usage_export_hk and s.load_end_date is null
    where h.usage_export_bk = lower(btrim(p_export));
    if v_export.usage_export_hk is null then
        perform admin.fn_refuse_change(
            404, 'export_exists', format('There is no export %s', quote_literal(coalesce(p_export, ''))),
            'Look into admin.usage_export, or insert it there first.'
        );
    end if;
    return v_export;
end
$$;

comment on function admin.fn_find_export(text) is 'A current export by its name; refuses an unknown one.';
