-- Idempotent: the same key twice adds no row, from however many connections. p_columns carries what the hub holds
-- besides.
create or replace function util.fn_load_hub(
    p_hub regclass, p_hash_key bytea, p_business_key text, p_record_source text, p_columns jsonb default '{}'
) returns boolean
language plpgsql
set search_path = ''
as $$
declare
    v_key text;
    v_business_key text;
    v_row jsonb;
    v_columns text;
    v_added integer;
begin
    select
        max(a.attname) filter (where i.indisprimary), max(a.attname) filter (where a.attname ~ '_bk$')
    into v_key, v_business_key
    from pg_catalog.pg_attribute as a
    left join pg_catalog.pg_index as i
        on a.attrelid = i.indrelid and i.indisprimary and a.attnum = any(i.indkey)
    where a.attrelid = p_hub and a.attnum > 0 and not a.attisdropped;

    v_row := p_columns
        || jsonb_build_object(v_key, p_hash_key, 'load_date', util.current_load_date(), 'record_source', p_record_source)
        || case when v_business_key is null then '{}' else jsonb_build_object(v_business_key, p_business_key) end;

    select string_agg(format('%I', k.name), ', ') into v_columns from jsonb_object_keys(v_row) as k (name);

    execute format(
        'insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1) on conflict do nothing',
        p_hub, v_columns
    ) using v_row;
    get diagnostics v_added = row_count;
    return v_added = 1;
end
$$;

comment on function util.fn_load_hub(regclass, bytea, text, text, jsonb) is
'Loads a hub or link row; true when it was new. Columns besides key, business key, load date and source come in
p_columns.';
