-- For this moment nobody reads or books a request. Who comes must not queue up behind us, so we ask for it for a tenth
-- of a second, and give up at once where anybody is at what lies below.
create or replace function ops.fn_swap_month(p_month text) returns text
language plpgsql
set search_path = ''
set lock_timeout = '100ms'
as $$
declare
    v_copy text := p_month || '_ordered';
    v_names jsonb;
    v_bounds text;
    v_index record;
begin
    begin
        lock table only gateway.api_request_s in access exclusive mode;
        execute format(
            'lock table gateway.api_request_s_default, gateway.%I, gateway.%I in access exclusive mode nowait', p_month, v_copy
        );
    exception
        when lock_not_available or deadlock_detected then
            return 'waiting';
    end;
    select jsonb_object_agg(h.inhparent, c.relname) into v_names
    from pg_catalog.pg_index as i
    inner join pg_catalog.pg_inherits as h on i.indexrelid = h.inhrelid
    inner join pg_catalog.pg_class as c on i.indexrelid = c.oid
    where i.indrelid = format('gateway.%I', p_month)::regclass;
    select pg_get_expr(c.relpartbound, c.oid) into v_bounds
    from pg_catalog.pg_class as c where c.oid = format('gateway.%I', p_month)::regclass;
    execute format('drop table gateway.%I', p_month);
    execute format('alter table gateway.%I rename to %I', v_copy, p_month);
    execute format('alter table gateway.api_request_s attach partition gateway.%I %s', p_month, v_bounds);
    execute format('alter table gateway.%I drop constraint row_is_of_its_month', p_month);
    execute format('comment on table gateway.%I is null', p_month);
    for v_index in
        select c.relname as made, v_names ->> h.inhparent::text as name
        from pg_catalog.pg_index as i
        inner join pg_catalog.pg_inherits as h on i.indexrelid = h.inhrelid
        inner join pg_catalog.pg_class as c on i.indexrelid = c.oid
        where i.indrelid = format('gateway.%I', p_month)::regclass and v_names ? h.inhparent::text
    loop
        execute format('alter index gateway.%I rename to %I', v_index.made, v_index.name);
    end loop;
    return 'ordered';
end
$$;

comment on function ops.fn_swap_month(text) is
'Puts the complete copy of a month in its place, or does nothing where somebody is reading; says which.';
