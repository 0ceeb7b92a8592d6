-- PostgreSQL lets everybody take advisory locks (the house's own among them, or so many that nobody gets any), make
-- large objects, write into the log of changes, end the sessions of whoever shares a role with him, and run PL/pgSQL
-- of his own. Nobody here needs that but the owner; a DBA may end sessions and run blocks. Only a superuser can close
-- it: for another migrator it stays as it is.
create or replace function util.fn_close_catalog() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_function regprocedure;
    v_closed integer := 0;
begin
    if not (select r.rolsuper from pg_catalog.pg_roles as r where r.rolname = current_user) then
        return 0;
    end if;
    for v_function in
        select p.oid::regprocedure
        from pg_catalog.pg_proc as p
        where p.pronamespace = 'pg_catalog'::regnamespace and p.proname
            ~ '^(pg_(try_)?advisory_|lo_|loread$|lowrite$|pg_logical_emit_message$|pg_(cancel|terminate)_backend$)'
    loop
        execute format('revoke execute on function %s from public', v_function);
        execute format('grant execute on function %s to onevault_owner', v_function);
        v_closed := v_closed + 1;
    end loop;
    grant execute on function
    pg_catalog.pg_cancel_backend(integer), pg_catalog.pg_terminate_backend(integer, bigint)
    to onevault_dba;
    revoke usage on language plpgsql from public;
    grant usage on language plpgsql to onevault_owner, onevault_dba;
    return v_closed;
end
$$;

comment on function util.fn_close_catalog() is
'Takes from PUBLIC what PostgreSQL gives everybody and nobody here needs: advisory locks, large objects, signals, DO;
returns how many functions are closed.';
