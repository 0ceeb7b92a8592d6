-- Every request that was acknowledged is open or ended, and not both.
drop view if exists ops.unaccounted_request;
create view ops.unaccounted_request as
select
    h.api_request_hk, h.customer_hk,
    case when r.api_request_hk is null then 'is neither open nor booked' else 'is booked and still open' end as finding
from gateway.api_request_h as h
left join ops.reservation as r on h.api_request_hk = r.api_request_hk and h.customer_hk = r.customer_hk
left join gateway.api_request_s as s on h.api_request_hk = s.api_request_hk and h.customer_hk = s.customer_hk
where h.api_request_hk >= ops.fn_check_from() and (r.api_request_hk is null) = (s.api_request_hk is null)
union all
select s.api_request_hk, s.customer_hk, 'is booked and was never acknowledged' as finding
from gateway.api_request_s as s
where
    s.api_request_hk >= ops.fn_check_from()
    and not exists (
        select from gateway.api_request_h as h
        where h.api_request_hk = s.api_request_hk and h.customer_hk = s.customer_hk
    );

comment on view ops.unaccounted_request is
'Requests without exactly one state: neither open nor booked, both, or booked without having been acknowledged. Must
be empty.';
