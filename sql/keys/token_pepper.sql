-- A token that is not used keeps its digest, and with it the master key that made it.
drop view if exists ops.token_pepper;
create view ops.token_pepper as
select
    h.token_bk::text as token_id, c.customer_bk::text as customer, s.token_name::text as token_name,
    s.token_hint::text as token_hint, coalesce(s.pepper_key_id, 'unknown') as master_key_id, s.load_date
from gateway.token_s as s
inner join gateway.token_h as h on s.token_hk = h.token_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk
where
    s.load_end_date is null and s.token_status = 'ACTIVE'
    and coalesce(s.expires_at > util.current_load_date(), true);

comment on view ops.token_pepper is
'Tokens that may call, with the master key whose pepper made their digest; unknown for those older than this record.';
