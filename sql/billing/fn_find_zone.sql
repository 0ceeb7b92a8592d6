create or replace function gateway.fn_find_zone(p_customer_hk bytea) returns text
language sql stable
set search_path = ''
begin atomic
    select t.time_zone
    from gateway.customer_h as h
    inner join auth.tenant_s as t on h.tenant_hk = t.tenant_hk
    where h.customer_hk = p_customer_hk
    order by t.load_date desc
    limit 1;
end;

comment on function gateway.fn_find_zone(bytea) is 'The time zone of a customer''s tenant, deleted or not.';
