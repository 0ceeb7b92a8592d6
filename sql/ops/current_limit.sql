-- What ops.usage_limit must hold beside what is used, straight from the vault.
drop view if exists ops.current_limit;
create view ops.current_limit as
select
    h.usage_limit_hk, h.usage_limit_bk::text as limit_name, h.tenant_hk, s.customer_hk, s.token_hk, s.provider_hk,
    ph.provider_bk::text as provider_bk, mh.model_bk::text as model_bk, s.unit::text as unit, s.period::text as period,
    s.amount, s.is_hard, s.raised_amount, s.raised_until
from gateway.usage_limit_h as h
inner join gateway.usage_limit_s as s on h.usage_limit_hk = s.usage_limit_hk and s.load_end_date is null
left join gateway.ai_provider_h as ph on s.provider_hk = ph.provider_hk
left join gateway.model_h as mh on s.model_hk = mh.model_hk;

comment on view ops.current_limit is 'The source of ops.usage_limit: limits in force.';
