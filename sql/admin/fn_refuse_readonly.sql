-- A value that would be thrown away is refused: nobody should believe that he changed something.
create or replace function admin.fn_refuse_readonly(p_new jsonb, p_old jsonb, p_readonly text[], p_hint text)
returns void
language plpgsql
immutable
set search_path = ''
as $$
declare
    v_column text;
begin
    select c.name into v_column
    from unnest(p_readonly) as c (name)
    where p_new -> c.name is distinct from coalesce(p_old -> c.name, 'null')
    limit 1;
    if v_column is not null then
        perform admin.fn_refuse_change(
            400, v_column || '_is_read_only', format('%s cannot be set here', v_column), p_hint
        );
    end if;
end
$$;

comment on function admin.fn_refuse_readonly(jsonb, jsonb, text[], text) is
'Refuses a row that changes a column which the view only shows; p_old is NULL for a new row.';
