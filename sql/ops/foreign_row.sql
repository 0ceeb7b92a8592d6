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
select r.api_request_hk, r.customer_hk, 'holds money of a tenant that its customer does not belong to' as finding
from ops.reservation as r
inner join gateway.customer_h as c on r.customer_hk = c.customer_hk
where r.tenant_hk <> c.tenant_hk;

comment on view ops.foreign_row is
'Requests whose tenant, customer and token do not belong together. Must be empty.';
