-- Handing a message out is what makes a request dispatched, in the transaction that hands it out: a provider is never
-- called without a durable row that says so. Messages whose ids are no ids have no reservation to move.
create or replace function gateway.fn_note_dispatch(p_messages jsonb[], p_step smallint) returns void
language plpgsql
set search_path = ''
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
declare
    v_message jsonb;
    v_requests bytea[];
    v_customers bytea[];
begin
    -- Plain expressions, since a query started for one or two messages costs more than all of them.
    foreach v_message in array p_messages loop
        continue when not pg_input_is_valid(v_message ->> 'request', 'uuid')
            or (v_message ->> 'customer') !~ '^([0-9a-f]{2})+$';
        v_requests := v_requests || uuid_send((v_message ->> 'request')::uuid);
        v_customers := v_customers || decode(v_message ->> 'customer', 'hex');
    end loop;
    update ops.reservation as r set
        dispatch_count = r.dispatch_count + p_step,
        request_state = case
            when r.request_state = 'streaming' then r.request_state
            when r.dispatch_count + p_step = 0 then 'reserved'
            else 'dispatched'
        end
    from unnest(v_requests, v_customers) as m (request_hk, customer_hk)
    where
        r.api_request_hk = m.request_hk
        and r.customer_hk = m.customer_hk
        and r.dispatch_count + p_step >= 0;
end
$$;

comment on function gateway.fn_note_dispatch(jsonb[], smallint) is
'Counts a hand-out (+1) or its return unused (-1) in the reservations of these messages.';
