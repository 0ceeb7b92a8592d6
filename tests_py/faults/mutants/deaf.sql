-- Nobody is told of new work: every pg_notify in the database's functions does nothing.
do $deaf$
declare
    v_function record;
    v_muted integer := 0;
begin
    for v_function in
        select p.oid from pg_proc as p inner join pg_namespace as n on p.pronamespace = n.oid
        where n.nspname in ('gateway', 'ops', 'util', 'admin') and p.prosrc like '%perform pg_notify(''onevault_work''%'
    loop
        execute replace(
            pg_get_functiondef(v_function.oid), 'perform pg_notify(''onevault_work''', 'perform concat(''onevault_work'''
        );
        v_muted := v_muted + 1;
    end loop;
    if v_muted = 0 then
        raise exception 'no function notifies: adapt the mutant';
    end if;
end
$deaf$;
