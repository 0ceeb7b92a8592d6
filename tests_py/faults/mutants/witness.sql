-- No mutant: keeps every receipt that sp_record_results gives, so that a test sees what was refused.
create schema faults;
create table faults.receipt (receipt jsonb not null);
grant usage on schema faults to onevault_owner;
grant insert on faults.receipt to onevault_owner;

do $witness$
declare
    v_was text := pg_get_functiondef('gateway.sp_record_results(jsonb)'::regprocedure);
    v_is text := replace(
        v_was, 'return next;', 'insert into faults.receipt (receipt) values (receipt::jsonb); return next;'
    );
begin
    if v_is = v_was then
        raise exception 'sp_record_results gives its receipts in another way: adapt the witness';
    end if;
    execute v_is;
end
$witness$;
