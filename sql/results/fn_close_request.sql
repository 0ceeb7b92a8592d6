-- Ends a request that nobody will finish: voided when no worker ever had it, unknown when one may have called, settled
-- by what was told when output is known to have flowed. What was held is given back in each case.
create or replace function gateway.fn_close_request(p_request_hk bytea, p_customer_hk bytea) returns boolean
language plpgsql
set search_path = ''
as $$
begin
    return (gateway.fn_book_result(jsonb_build_object(
        'request', encode(p_request_hk, 'hex')::uuid, 'customer', encode(p_customer_hk, 'hex'), 'status', 'VOIDED',
        'attempts', '[]'::jsonb
    )) ->> 'settled')::boolean;
end
$$;

comment on function gateway.fn_close_request(bytea, bytea) is
'Ends a request that nobody will finish, as voided, unknown or settled; false when it had ended already.';
