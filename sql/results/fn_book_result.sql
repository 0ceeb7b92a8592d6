-- The rows of a batch in two statements: each INSERT begins by reading the checks of its table.
create or replace function gateway.fn_write_bookings(
    p_requests gateway.api_request_s[], p_attempts gateway.api_request_attempt_s[]
) returns void
language plpgsql
set search_path = ''
as $$
begin
    if p_attempts <> '{}' then
        insert into gateway.api_request_attempt_s select a.* from unnest(p_attempts) as a;
    end if;
    if p_requests <> '{}' then
        insert into gateway.api_request_s select r.* from unnest(p_requests) as r;
    end if;
end
$$;

comment on function gateway.fn_write_bookings(gateway.api_request_s[], gateway.api_request_attempt_s[]) is
'Writes settled requests and their attempts into the vault.';

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
    perform gateway.fn_write_bookings(array[v_settled.request], coalesce(v_settled.attempts, '{}'));
    return v_settled.receipt;
end
$$;

comment on function gateway.fn_book_result(jsonb) is
'Books attempts, usage, cost and charge of one request, releases what was held; a second call gives the same
receipt.';
