create or replace function ops.fn_find_order(p_partition regclass) returns name
language sql stable
begin atomic
select c.relname
from pg_catalog.pg_index as i
inner join pg_catalog.pg_class as c on i.indexrelid = c.oid
where
    i.indrelid = p_partition and (
        select array_agg(a.attname order by a.attnum) from pg_catalog.pg_attribute as a where a.attrelid = i.indexrelid
    ) = '{customer_hk,request_timestamp,load_date}'::name[];
end;

comment on function ops.fn_find_order(regclass) is
'The index of a partition of gateway.api_request_s by customer, time of the request and time of booking.';
