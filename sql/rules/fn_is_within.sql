create or replace function gateway.fn_is_within(p_scope_gate text, p_principal ops.principal) returns boolean
language sql immutable parallel safe
return p_scope_gate is null or p_scope_gate in (
    'for token=' || (p_principal).token_bk, 'for customer=' || (p_principal).customer_bk,
    'for tenant=' || (p_principal).tenant_bk
);

comment on function gateway.fn_is_within(text, ops.principal) is
'Whether a rule with this gate of a tenant, customer or token (NULL for all) is for this principal.';
