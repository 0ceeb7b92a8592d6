drop view if exists ops.overdue_request;
create view ops.overdue_request as
select
    r.api_request_hk, r.customer_hk, r.request_state, r.deadline,
    'is ' || r.request_state || ' more than five minutes past its deadline' as finding
from ops.reservation as r
where r.deadline < now() - interval '5 minutes';

comment on view ops.overdue_request is
'Open requests long past their deadline, whose holds nobody gives back: no worker runs the clock. Must be empty.';
