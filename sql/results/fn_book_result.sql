-- What sp_record_results does for a batch, for one request.
create or replace function gateway.fn_book_result(p_result jsonb) returns jsonb
language plpgsql
set search_path = ''
as $$
declare
    v_settled record := gateway.fn_settle_result(p_result);
begin
    if v_settled.receipt is null then
        return gateway.fn_read_receipt(
            uuid_send((p_result ->> 'request')::uuid), decode(p_result ->> 'customer', 'hex'), false
        );
    end if;
    perform gateway.fn_write_bookings(
        array[v_settled.request], coalesce(v_settled.attempts, '{}'), array[v_settled.day_number],
        array[v_settled.month_number], array[v_settled.token_is_limited], coalesce(v_settled.limits, '[]')
    );
    return v_settled.receipt;
end
$$;

comment on function gateway.fn_book_result(jsonb) is
'Books attempts, usage, cost and charge of one request, releases what was held; a second call gives the same
receipt.';
