-- What a customer's next secret is to be sealed for: its secrets are numbered.
create or replace function admin.sp_identify_webhook_secret(p_customer text) returns bytea
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    perform admin.fn_find_customer(p_customer);
    return (
        select util.hash_key('webhook', p_customer, (count(*) + 1)::text)
        from gateway.webhook_secret_h as h
        where h.customer_hk = util.hash_key(p_customer)
    );
end
$$;

comment on function admin.sp_identify_webhook_secret(text) is
'The identity that a customer''s next webhook secret is to be sealed for.';
