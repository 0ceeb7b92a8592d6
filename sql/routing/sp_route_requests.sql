-- Many callers, one commit. Sorted by tenant, customer and token, so that two batches take their locks in one
-- order. One malformed call is refused by itself: the batch then runs again, each call in a subtransaction of its
-- own. The first p_hand_over of them are handed over with their decisions, as if a worker had read them already, unless
-- others wait that came before.
create or replace function gateway.sp_route_requests(
    p_batch jsonb, p_reply_to text default null, p_notify boolean default true, p_hand_over integer default 0
) returns table (
    ordinal integer, status text, http_status integer, request_id text, queue text, msg_id bigint, provider text,
    model text, route_reason text, customer text, rate_limit integer, rate_remaining integer, rate_reset_ms bigint,
    retry_after_ms bigint, deadline_ms bigint, message text, detail text, work text
)
language plpgsql
security definer
set search_path = ''
as $$
declare
    v_call record;
    v_decisions gateway.route_decision[];
    v_has_keys boolean := p_batch @? '$[*].idempotency';
    v_handed integer := case when p_hand_over > 0 and not gateway.fn_work_waits() then p_hand_over else 0 end;
    v_counts boolean := gateway.fn_begin_counting(util.current_load_date());
    -- Pinned for the transaction: a function's own SET clause would be over before the commit that it is meant
    -- for. An expression costs less than a statement.
    v_durable text := set_config('synchronous_commit', 'on', true);
begin
    if v_has_keys then
        perform gateway.fn_lock_keys(p_batch, util.current_load_date());
    end if;
    if exists (select from ops.usage_limit) then
        perform gateway.fn_lock_limits(array(
            select l.limit_hk
            from jsonb_array_elements(p_batch) as b (call)
            inner join ops.principal as p on p.token_digest = decode(b.call ->> 'digest', 'hex')
            cross join lateral unnest(p.limit_hks) as l (limit_hk)
        ));
    end if;
    begin
        if jsonb_array_length(p_batch) = 1 then
            -- Nobody to be sorted with.
            v_decisions[1] := gateway.sp_route_request(
                decode(p_batch -> 0 ->> 'digest', 'hex'), p_batch -> 0, p_reply_to, v_handed > 0
            );
        else
            select array_agg(d order by c.ordinal) into v_decisions
            from (
                select b.ordinal, b.call, decode(b.call ->> 'digest', 'hex') as digest
                from jsonb_array_elements(p_batch) with ordinality as b (call, ordinal)
                left join ops.principal as p on p.token_digest = decode(b.call ->> 'digest', 'hex')
                order by p.tenant_hk, p.customer_hk, p.token_hk, b.ordinal
                offset 0
            ) as c
            cross join lateral gateway.sp_route_request(c.digest, c.call, p_reply_to, c.ordinal <= v_handed) as d;
        end if;
    exception
        when data_exception then
            for v_call in
                select b.ordinal::integer as ordinal, b.call
                from jsonb_array_elements(p_batch) with ordinality as b (call, ordinal)
                order by b.call ->> 'digest', b.ordinal
            loop
                begin
                    v_decisions[v_call.ordinal] := gateway.sp_route_request(
                        decode(v_call.call ->> 'digest', 'hex'), v_call.call, p_reply_to, v_call.ordinal <= v_handed
                    );
                exception
                    when data_exception then
                        v_decisions[v_call.ordinal] := gateway.fn_refuse(
                            'invalid_request', 400, 'A field of this call has a value that cannot be used.'
                        );
                end;
            end loop;
    end;
    if v_has_keys then
        perform gateway.fn_leave_keys(p_batch);
    end if;
    if v_counts then
        perform gateway.fn_end_counting(util.current_load_date());
    end if;
    if p_notify then
        perform pg_notify('onevault_work', '');
    end if;
    return query
    select
        d.ordinal::integer, d.status, d.http_status, d.request_id, d.queue, d.msg_id, d.provider, d.model,
        d.route_reason, d.customer, d.rate_limit, d.rate_remaining, d.rate_reset_ms, d.retry_after_ms, d.deadline_ms,
        d.message, d.detail, d.work::text
    from unnest(v_decisions) with ordinality as d (
        status, http_status, request_id, queue, msg_id, provider, model, route_reason, customer, rate_limit,
        rate_remaining, rate_reset_ms, retry_after_ms, deadline_ms, message, detail, work, ordinal
    );
end
$$;

comment on function gateway.sp_route_requests(jsonb, text, boolean, integer) is
'Decides a batch of calls in one transaction; each row answers the call at its ordinal (from 1). Where it has work,
that is the message, which counts as read once: whoever asked gives it to a worker.';
