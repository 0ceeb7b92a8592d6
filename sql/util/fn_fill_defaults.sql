-- jsonb_populate_record knows no column defaults; this gives those that the row does not name.
create or replace function util.fn_fill_defaults(p_table regclass, p_row jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_defaults text;
    v_filled jsonb;
begin
    select string_agg(format('%L, %s', a.attname, pg_get_expr(d.adbin, d.adrelid)), ', ') into v_defaults
    from pg_catalog.pg_attribute as a
    inner join pg_catalog.pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
    where
        a.attrelid = p_table and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
        and not p_row ? a.attname;
    if v_defaults is null then
        return p_row;
    end if;
    execute format('select jsonb_build_object(%s)', v_defaults) into v_filled;
    return v_filled || p_row;
end
$$;

comment on function util.fn_fill_defaults(regclass, jsonb) is
'A row as JSON with the table''s defaults for every column it does not name.';
