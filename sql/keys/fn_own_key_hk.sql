-- The kind is part of the hash, so no customer's name can reach a key of the house. The first key of a customer at a
-- provider has no name in its hash: that is how it was before they had names; it is called own, and default as
-- well.
create or replace function gateway.fn_own_key_hk(p_customer text, p_provider text, p_key_name text) returns bytea
language sql immutable parallel safe
return case
    when coalesce(lower(btrim(p_key_name)), '') in ('', 'own', 'default')
        then util.hash_key('customer', p_customer, p_provider)
    else util.hash_key('customer', p_customer, p_provider, p_key_name)
end;

comment on function gateway.fn_own_key_hk(text, text, text) is
'The hash key of a customer''s own key at a provider, and the identity it is sealed for.';
