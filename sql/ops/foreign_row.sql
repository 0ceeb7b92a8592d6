-- What a row says about its tenant, customer and token is what the vault says about them.
drop view if exists ops.foreign_row;
create view ops.foreign_row as
select s.api_request_hk, s.customer_hk, 'is booked to a tenant that its customer does not belong to' as finding
from gateway.api_request_s as s
inner join gateway.customer_h as c on s.customer_hk = c.customer_hk
where s.api_request_hk >= ops.fn_check_from() and s.tenant_hk <> c.tenant_hk
union all
select s.api_request_hk, s.customer_hk, 'is booked to a token of another customer' as finding
from gateway.api_request_s as s
left join gateway.token_h as t on s.token_hk = t.token_hk
where s.api_request_hk >= ops.fn_check_from() and t.customer_hk is distinct from s.customer_hk
union all
select a.api_request_hk, a.customer_hk, 'was called with the own key of another customer' as finding
from gateway.api_request_attempt_s as a
inner join gateway.customer_provider_keys_h as k on a.provider_key_hk = k.customer_provider_key_hk
where a.api_request_hk >= ops.fn_check_from() and a.customer_hk <> k.customer_hk
union all
select r.api_request_hk, r.customer_hk, 'holds money of a tenant that its customer does not belong to' as finding
from ops.reservation as r
inner join gateway.customer_h as c on r.customer_hk = c.customer_hk
where r.tenant_hk <> c.tenant_hk;

comment on view ops.foreign_row is
'Requests whose tenant, customer, token and own keys do not belong together. Must be empty.';
