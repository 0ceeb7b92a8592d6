-- Null when the token may call; else the refusal. Unknown, revoked and expired are told apart, as the contract
-- promises.
create or replace function gateway.fn_check_principal(
    p_principal ops.principal, p_now timestamptz, p_scope text, p_address text
) returns gateway.route_decision
language sql stable
begin atomic
    select case
        when (p_principal).token_digest is null then gateway.fn_refuse(
            'invalid_token', 401,
            'This token is not known here. Check that it was copied whole, or ask for a new one.'
        )
        when (p_principal).token_status <> 'ACTIVE' then gateway.fn_refuse(
            'token_revoked', 401, 'This token was revoked. Ask for a new one.'
        )
        when (p_principal).expires_at <= p_now then gateway.fn_refuse(
            'token_expired', 401, 'This token has expired. Ask for a new one.',
            jsonb_build_object('expired_at', (p_principal).expires_at)
        )
        when not (p_principal).is_active then gateway.fn_refuse(
            'token_revoked', 401, 'The account of this token is switched off. Ask whoever gave it to you.'
        )
        when
            (p_principal).allowed_addresses is not null
            and not gateway.fn_is_allowed_address(p_address, (p_principal).allowed_addresses)
            then gateway.fn_refuse(
                'address_not_allowed', 403, format(
                    'This token may not be used from %s. Call from a network that it was issued for, or have '
                    'this one added to it.', coalesce(left(p_address, 50), 'an unknown address')
                )
            )
        when not p_scope = any((p_principal).scopes) then gateway.fn_refuse(
            'scope_not_allowed', 403, format('This token may not be used for %s. Use one that has this scope.', p_scope)
        )
    end;
end;

comment on function gateway.fn_check_principal(ops.principal, timestamptz, text, text) is
'Null when a token may be used for a scope now and from this address; else the refusal to answer with.';
