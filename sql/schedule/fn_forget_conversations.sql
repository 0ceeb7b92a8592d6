create or replace function ops.fn_forget_conversations() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_forgotten integer;
begin
    delete from ops.conversation as c
    using (
        select e.session_digest, e.customer_hk from ops.conversation as e
        where e.expires_at < clock_timestamp()
        order by e.expires_at
        limit 50000
        for update skip locked
    ) as e
    where c.session_digest = e.session_digest and c.customer_hk = e.customer_hk;
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;

comment on function ops.fn_forget_conversations() is
'Removes conversations whose prompts no provider keeps warm any more; returns how many.';
