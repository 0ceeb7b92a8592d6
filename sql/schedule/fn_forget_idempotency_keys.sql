create or replace function ops.fn_forget_idempotency_keys() returns integer
language plpgsql
set search_path = ''
as $$
declare
    v_forgotten integer;
begin
    delete from ops.idempotency_key as k
    using (
        select e.key_digest, e.customer_hk from ops.idempotency_key as e
        where e.expires_at < clock_timestamp()
        order by e.expires_at
        limit 50000
        for update skip locked
    ) as e
    where k.key_digest = e.key_digest and k.customer_hk = e.customer_hk;
    get diagnostics v_forgotten = row_count;
    return v_forgotten;
end
$$;

comment on function ops.fn_forget_idempotency_keys() is
'Removes idempotency keys older than 24 hours; returns how many.';
