create or replace function admin.sp_identify_customer(p_customer text)
returns table (identity bytea, customer_reference text)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
    v_customer_hk bytea := admin.fn_find_customer(p_customer);
begin
    return query
    select h.customer_hk, h.customer_reference::text from gateway.customer_h as h where h.customer_hk = v_customer_hk;
end
$$;

comment on function admin.sp_identify_customer(text) is
'What a token is made with: the public reference that stands in it, and the identity its fingerprint is sealed for.';
