-- Which row a key is sealed for. The kind is part of the hash, so no customer's name can reach a key of the house.
create or replace function admin.sp_identify_provider_key(p_provider text, p_customer text, p_key_name text)
returns bytea
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
    perform admin.fn_find_provider(p_provider);
    if p_customer is null then
        return util.hash_key('house', p_provider, admin.fn_check_name('key', p_key_name));
    end if;
    perform admin.fn_find_customer(p_customer);
    return util.hash_key('customer', p_customer, p_provider);
end
$$;

comment on function admin.sp_identify_provider_key(text, text, text) is
'The identity that a key is to be sealed for: the house''s by provider and name, or a customer''s at a provider.';
