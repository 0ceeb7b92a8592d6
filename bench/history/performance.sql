-- Windows of providers within a range of time: hubs, and satellites by the house's own delta rule.
create temporary table measured as
select
    c.provider_hk, c.provider_bk || '|' || w.name as bk, util.hash_key(c.provider_bk, w.name) as hk,
    ops.fn_pack_performance(to_jsonb(c)) as columns
from ops.fn_count_attempts(%(from)s, %(to)s) as c
cross join lateral to_char(c.started_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI"Z"') as w (name);

insert into gateway.provider_performance_h (performance_hk, performance_bk, provider_hk, record_source)
select m.hk, m.bk, m.provider_hk, 'rollup' from measured as m;

select util.fn_load_satellites('gateway.provider_performance_s', '{performance_hk}', jsonb_agg(
    m.columns || jsonb_build_object('performance_hk', m.hk)
), 'rollup')
from measured as m having count(*) > 0;

drop table measured;
