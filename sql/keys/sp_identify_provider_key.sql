-- Which row a key is sealed for.
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
    return gateway.fn_own_key_hk(
        p_customer, p_provider, case when p_key_name is not null then admin.fn_check_name('key', p_key_name) end
    );
end
$$;

comment on function admin.sp_identify_provider_key(text, text, text) is
'The identity that a key is to be sealed for: the house''s by provider and name, or a customer''s at a provider
by name (NULL for his first).';
