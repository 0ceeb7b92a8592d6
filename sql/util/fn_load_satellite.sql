-- The one delta rule. The same payload adds no row; a changed one closes the current row and adds its successor.
-- The lock per key is what makes two current rows impossible to try; the unique index on current rows is what
-- makes it fail.
create or replace function util.fn_load_satellite(
    p_satellite regclass, p_key jsonb, p_payload jsonb, p_record_source text,
    p_not_hashed text[] default '{}'
) returns boolean
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_meta text[] := '{load_date,load_end_date,hash_diff,record_source,change_reason,ended_by,end_reason}';
    v_unknown text;
    v_values text[];
    v_hash_diff bytea;
    v_now timestamptz;
    v_row jsonb;
    v_match text;
    v_columns text;
    v_current record;
begin
    perform util.fn_refuse_past();
    perform util.fn_lock_satellite(p_satellite, p_key);
    -- After the lock, so that load dates of a key are in the order in which its versions were made.
    v_now := util.current_load_date();

    select string_agg(k.name, ', ') into v_unknown
    from jsonb_object_keys(p_payload) as k (name)
    where not exists (
        select from pg_catalog.pg_attribute as a
        where a.attrelid = p_satellite and a.attname = k.name and a.attnum > 0 and not a.attisdropped
    );
    if v_unknown is not null then
        raise exception using
            errcode = 'VG400', constraint = 'payload_columns_exist',
            message = format('%s has no column %s', p_satellite, v_unknown),
            hint = 'Name columns of the satellite only.';
    end if;

    select string_agg(format('s.%1$I = k.%1$I', k.name), ' and ') into v_match
    from jsonb_object_keys(p_key) as k (name);

    execute format(
        'select s.load_date, s.hash_diff, to_jsonb(s) as document
         from %1$s as s, jsonb_populate_record(null::%1$s, $1) as k
         where %2$s and s.load_end_date is null', p_satellite, v_match
    ) into v_current using p_key;

    -- A column that the payload does not name keeps its value, or takes the table's default in a first row.
    v_row := coalesce(v_current.document, '{}') || p_payload || p_key;
    execute format('select to_jsonb(r) from jsonb_populate_record(null::%1$s, $1) as r', p_satellite)
    into v_row using util.fn_fill_defaults(p_satellite, v_row);

    select array_agg(v_row ->> a.attname order by a.attnum) into v_values
    from pg_catalog.pg_attribute as a
    where
        a.attrelid = p_satellite and a.attnum > 0 and not a.attisdropped
        and a.attname <> all(v_meta || p_not_hashed) and not p_key ? a.attname;
    v_hash_diff := util.hash_diff(variadic v_values);

    if v_current.hash_diff = v_hash_diff then
        return false;
    end if;

    v_now := greatest(v_now, v_current.load_date + interval '1 microsecond');
    v_row := v_row || jsonb_build_object(
        'load_date', v_now, 'load_end_date', null, 'hash_diff', v_hash_diff, 'record_source', p_record_source
    );
    if v_row ? 'change_reason' then
        v_row := v_row || jsonb_build_object('change_reason', util.fn_change_reason());
    end if;
    if v_current.load_date is not null then
        execute format(
            'update %1$s as s set load_end_date = $2
             from jsonb_populate_record(null::%1$s, $1) as k where %2$s and s.load_end_date is null',
            p_satellite, v_match
        ) using p_key, v_now;
    end if;
    select string_agg(format('%I', k.name), ', ') into v_columns from jsonb_object_keys(v_row) as k (name);
    execute format(
        'insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)', p_satellite, v_columns
    ) using v_row;
    return true;
end
$$;

comment on function util.fn_load_satellite(regclass, jsonb, jsonb, text, text[]) is
'Loads a satellite row by hash diff; true when a version was added. p_key names the key columns, p_payload the
descriptive ones (absent ones keep their value), p_not_hashed those left out of the hash diff, such as ciphertexts.';
