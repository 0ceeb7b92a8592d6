-- Usage by hour of the requests within a range of keys, by the house's own count.
insert into ops.usage_hourly
select c.* from ops.fn_count_usage(
    util.fn_request_key_at(%(from)s), util.fn_request_key_at(%(to)s), '-infinity', %(until)s
) as c
order by c.usage_hour, c.customer_hk
