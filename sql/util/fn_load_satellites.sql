-- The delta rule of fn_load_satellite for many keys in three statements, so that what triggers do is done once. It
-- keeps every other writer out of the satellite meanwhile: a lock for each key would fill the lock table.
create or replace function util.fn_load_satellites(
    p_satellite regclass, p_key_columns text[], p_rows jsonb, p_record_source text, p_not_hashed text[] default '{}'
) returns bigint
language plpgsql
set search_path = ''
set timezone = 'UTC'
as $$
declare
    v_meta text[] := '{load_date,load_end_date,hash_diff,record_source,change_reason,ended_by,end_reason}';
    v_match text := (
        select string_agg(format('s.%1$I = k.%1$I', c.name), ' and ') from unnest(p_key_columns) as c (name)
    );
    v_columns text;
    v_hashed text;
    v_unknown text;
    v_changed jsonb;
    v_now timestamptz;
begin
    perform util.fn_refuse_past();
    execute format('lock table %s in share row exclusive mode', p_satellite);
    v_now := util.current_load_date();

    select
        string_agg(quote_ident(a.attname), ', ' order by a.attnum),
        string_agg(format('d.document ->> %L', a.attname), ', ' order by a.attnum)
        filter (where a.attname <> all(v_meta || p_key_columns || p_not_hashed))
    into v_columns, v_hashed
    from pg_catalog.pg_attribute as a
    where a.attrelid = p_satellite and a.attnum > 0 and not a.attisdropped;

    select string_agg(distinct k.name, ', ') into v_unknown
    from jsonb_array_elements(p_rows) as r (document)
    cross join lateral jsonb_object_keys(r.document) as k (name)
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

    execute format(
        'with given as (
            select r.document, s.load_date, s.hash_diff, to_jsonb(s) as current
            from jsonb_array_elements($1) as r (document)
            cross join lateral jsonb_populate_record(null::%1$s, r.document) as k
            left join %1$s as s on %2$s and s.load_end_date is null
        ),
        documents as (
            select g.load_date, g.hash_diff, to_jsonb(t) as document
            from given as g
            cross join lateral jsonb_populate_record(null::%1$s, coalesce(g.current, $2) || g.document) as t
        ),
        hashed as (
            select d.load_date, d.hash_diff, d.document, util.hash_diff(variadic array[%3$s]) as new_hash_diff
            from documents as d
        )
        select jsonb_agg(h.document || jsonb_build_object(
            ''load_date'', greatest($3, h.load_date + interval ''1 microsecond''), ''load_end_date'', null,
            ''hash_diff'', h.new_hash_diff, ''record_source'', $4
        ) || case when h.document ? ''change_reason''
            then jsonb_build_object(''change_reason'', util.fn_change_reason()) else ''{}'' end)
        from hashed as h
        where h.hash_diff is distinct from h.new_hash_diff',
        p_satellite, v_match, v_hashed
    ) into v_changed using p_rows, util.fn_fill_defaults(p_satellite, '{}'), v_now, p_record_source;
    if v_changed is null then
        return 0;
    end if;

    execute format(
        'update %1$s as s set load_end_date = k.load_date
         from jsonb_populate_recordset(null::%1$s, $1) as k where %2$s and s.load_end_date is null',
        p_satellite, v_match
    ) using v_changed;
    execute format(
        'insert into %1$s (%2$s) select %2$s from jsonb_populate_recordset(null::%1$s, $1)', p_satellite, v_columns
    ) using v_changed;
    return jsonb_array_length(v_changed);
end
$$;

comment on function util.fn_load_satellites(regclass, text[], jsonb, text, text[]) is
'Loads many rows (a JSON array, keys and payload in one object) by hash diff; returns how many versions were
added.';
