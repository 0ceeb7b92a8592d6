-- Ends a request that nobody will finish: nothing charged, everything held given back, one satellite row.
create or replace function gateway.fn_void_request(p_request_hk bytea, p_customer_hk bytea) returns boolean
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

comment on function gateway.fn_void_request(bytea, bytea) is
'Settles a request at zero; false when it was settled already.';
