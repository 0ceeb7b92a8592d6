-- What a connection draws requests from: callers by their rank (a Zipf distribution: the n-th calls 1/n as often as the
-- first), and models with their prices.
create temporary table caller as
select
    substr(p.customer_bk, 9)::integer as rank, p.customer_hk, p.tenant_hk, array_agg(p.token_hk order by p.token_name) as token_hks,
    array_agg(p.version order by p.token_name) as versions, min(p.markup_percent) as markup_percent,
    min(p.priority_tier) as priority_tier, nullif(p.compliance_levels, '{}') as compliance,
    (array['completion', 'summary', 'report', 'code'])[1 + substr(p.customer_bk, 9)::integer % 4] as own_type
from ops.principal as p
where p.customer_bk like 'history-%'
group by p.customer_bk, p.customer_hk, p.tenant_hk, p.compliance_levels;

create temporary table offer as
select
    substr(o.model_bk, 15)::integer - 1 as place, o.offer_hk, o.provider_hk, o.provider_bk, o.model_bk, o.version,
    o.input_usd_per_million as input, o.cache_read_usd_per_million as cache_read,
    o.cache_write_usd_per_million as cache_write, o.output_usd_per_million as output
from ops.offer as o
where o.provider_bk like 'history-%';
create temporary table zipf as
select
    (
        select array_agg(w.upto order by w.n)
        from (
            select n, sum(1.0 / n) over (order by n) / sum(1.0 / n) over () as upto
            from generate_series(1, (select max(c.rank) from caller as c)) as n
        ) as w
    )::float8[] as callers,
    (
        select array_agg(w.upto order by w.n)
        from (
            select n, sum(1.0 / (n * n)) over (order by n) / sum(1.0 / (n * n)) over () as upto
            from generate_series(1, 12) as n
        ) as w
    )::float8[] as offers;
analyze caller;
analyze offer;
