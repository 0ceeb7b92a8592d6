-- A settle in two statements: the first books and moves the money, the second (faults.sp_forget, which the mutant
-- worker calls a moment later) deletes reservation and message. Who dies between them leaves a request that was
-- charged and will be charged again. Made from the functions as they are installed; it says so if they have changed
-- too much for that.
create schema faults;
grant usage on schema faults to onevault_worker;

create function faults.fn_mutate(p_function regprocedure, p_pattern text, p_instead text) returns void
language plpgsql
as $mutate$
declare
    v_was text := pg_get_functiondef(p_function);
    v_is text := regexp_replace(v_was, p_pattern, p_instead);
begin
    if v_is = v_was then
        raise exception '% has no %: adapt the mutant', p_function, p_pattern;
    end if;
    execute v_is;
end
$mutate$;

select faults.fn_mutate(
    'gateway.fn_settle_result(jsonb)',
    'delete from ops\.reservation as r\s+where ([^;]*?)\s+returning r\.\* into v_reservation;',
    'delete from gateway.api_request_attempt_s as d where d.api_request_hk = v_request_hk;'
    ' delete from gateway.api_request_s as d where d.api_request_hk = v_request_hk;'
    ' select r.* into v_reservation from ops.reservation as r where \1;'
);

select faults.fn_mutate(
    'gateway.sp_record_results(jsonb)',
    'v_owned := gateway\.fn_delete_messages\(p_batch\);',
    'v_owned := array(select generate_series(1, jsonb_array_length(p_batch)));'
);

create function faults.sp_forget(p_batch jsonb) returns void
language plpgsql
security definer
set search_path = ''
as $$
begin
    perform gateway.fn_delete_messages(p_batch);
    delete from ops.reservation as r
    using jsonb_array_elements(p_batch) as b (result)
    where r.api_request_hk = uuid_send((b.result ->> 'request')::uuid);
end
$$;

alter function faults.sp_forget(jsonb) owner to onevault_owner;
grant usage on schema faults to onevault_owner;
grant execute on function faults.sp_forget(jsonb) to onevault_worker;
