-- Handing a message out is what makes a request dispatched, in the transaction that hands it out: a provider is never
-- called without a durable row that says so. Messages whose ids are no ids have no reservation to move.
create or replace function gateway.fn_note_dispatch(p_messages jsonb[], p_step smallint) returns void
language plpgsql
set search_path = ''
as $$
declare
    v_requests bytea[];
    v_customers bytea[];
begin
    select array_agg(uuid_send((m.message ->> 'request')::uuid)), array_agg(decode(m.message ->> 'customer', 'hex'))
    into v_requests, v_customers
    from unnest(p_messages) as m (message)
    where pg_input_is_valid(m.message ->> 'request', 'uuid') and (m.message ->> 'customer') ~ '^([0-9a-f]{2})+$';
    -- By their keys, never by reading a table whole that fills and empties all day.
    update ops.reservation as r set
        dispatch_count = r.dispatch_count + p_step,
        request_state = case
            when r.request_state = 'streaming' then r.request_state
            when r.dispatch_count + p_step = 0 then 'reserved'
            else 'dispatched'
        end
    where
        r.api_request_hk = any(v_requests)
        and exists (
            select from unnest(v_requests, v_customers) as m (request_hk, customer_hk)
            where m.request_hk = r.api_request_hk and m.customer_hk = r.customer_hk
        )
        and r.dispatch_count + p_step >= 0;
end
$$;

comment on function gateway.fn_note_dispatch(jsonb[], smallint) is
'Counts a hand-out (+1) or its return unused (-1) in the reservations of these messages.';
