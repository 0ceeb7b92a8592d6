-- Null when the token may call; else the refusal. Unknown, revoked and expired are told apart, as the contract
-- promises.
create or replace function gateway.fn_check_principal(p_principal ops.principal, p_now timestamptz, p_scope text)
returns gateway.route_decision
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
        when not p_scope = any((p_principal).scopes) then gateway.fn_refuse(
            'invalid_token', 401, format('This token may not be used for %s. Use one that has this scope.', p_scope)
        )
    end;
end;

comment on function gateway.fn_check_principal(ops.principal, timestamptz, text) is
'Null when a token may be used for a scope now; else the refusal to answer with.';
