create or replace function admin.sp_find_token(p_token_digest bytea)
returns table (token_id text, customer text, token_status text)
language sql stable
security definer
set search_path = ''
begin atomic
    select h.token_bk::text, c.customer_bk::text, s.token_status::text
    from gateway.token_s as s
    inner join gateway.token_h as h on s.token_hk = h.token_hk
    inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
    where s.token_digest = p_token_digest and s.load_end_date is null;
end;

comment on function admin.sp_find_token(bytea) is 'Whose a token is and whether it was revoked, by its digest.';
