-- Providers keep prompts warm for about five minutes after their last use.
create or replace function gateway.fn_keep_conversation(
    p_principal ops.principal, p_session text, p_candidates jsonb, p_now timestamptz
) returns void
language sql
set search_path = ''
begin atomic
    insert into ops.conversation as c (session_digest, customer_hk, tenant_hk, offer_hk, expires_at)
    values (
        decode(p_session, 'hex'), (p_principal).customer_hk, (p_principal).tenant_hk,
        decode(p_candidates -> 0 ->> 'offer', 'hex'), p_now + interval '5 minutes'
    )
    on conflict (session_digest, customer_hk) do update set
        offer_hk = excluded.offer_hk, expires_at = excluded.expires_at;
end;

comment on function gateway.fn_keep_conversation(ops.principal, text, jsonb, timestamptz) is
'Notes which offer a conversation went to, for as long as staying there pays.';
