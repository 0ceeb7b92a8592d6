drop view if exists admin.usage_limit;
drop view if exists admin.usage_limit_history;
create view admin.usage_limit_history as
select
    h.usage_limit_bk::text as limit_name,
    n.tenant_bk::text as tenant,
    c.customer_bk::text as customer,
    t.token_bk::text as token_id,
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.unit::text as unit,
    s.period::text as period,
    trim_scale(s.amount) as amount,
    s.is_hard,
    trim_scale(s.raised_amount) as raised_amount,
    s.raised_until,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.usage_limit_h as h
inner join gateway.usage_limit_s as s on h.usage_limit_hk = s.usage_limit_hk
inner join auth.tenant_h as n on h.tenant_hk = n.tenant_hk
left join gateway.customer_h as c on s.customer_hk = c.customer_hk
left join gateway.token_h as t on s.token_hk = t.token_hk
left join gateway.ai_provider_h as p on s.provider_hk = p.provider_hk
left join gateway.model_h as m on s.model_hk = m.model_hk;

create view admin.usage_limit as
select
    u.limit_name, u.tenant, u.customer, u.token_id, u.provider, u.model, u.unit, u.period, u.amount, u.is_hard,
    u.raised_amount, u.raised_until
from admin.usage_limit_history as u
where util.fn_is_in_force(u.load_date, u.load_end_date);

comment on view admin.usage_limit is
'Limits of what may be used, beside the budgets of customers and tokens: for a tenant, a customer or a token, of a
provider or a model or of all, in money, tokens, requests or calls at the same time. All that a call falls under hold.';
comment on column admin.usage_limit.limit_name is 'Name that refusals tell; made from what it limits if not given.';
comment on column admin.usage_limit.tenant is 'Organisation; follows from customer or token_id where one is given.';
comment on column admin.usage_limit.customer is 'Customer; NULL for all of the tenant together.';
comment on column admin.usage_limit.token_id is 'Token; NULL for all of the customer together.';
comment on column admin.usage_limit.provider is 'Provider that it is about; NULL for all together.';
comment on column admin.usage_limit.model is 'Model that it is about; NULL for all together.';
comment on column admin.usage_limit.unit is
'USD (charged), TOKENS (input and output), REQUESTS, or PARALLEL: calls under way at the same time.';
comment on column admin.usage_limit.period is
'MINUTE (sliding), or DAY, WEEK (from Monday), MONTH of the tenant''s time zone, or TOTAL; NULL for PARALLEL.';
comment on column admin.usage_limit.amount is 'How much of the unit is allowed.';
comment on column admin.usage_limit.is_hard is
'True: what would go beyond is refused or shortened. False: it is only told, at 50, 80 and 100 percent.';
comment on column admin.usage_limit.raised_amount is 'Allowed instead of amount until raised_until.';
comment on column admin.usage_limit.raised_until is 'When a raise ends by itself.';

comment on view admin.usage_limit_history is 'Every version of every limit, deleted ones included.';
comment on column admin.usage_limit_history.limit_name is 'Name.';
comment on column admin.usage_limit_history.tenant is 'Organisation.';
comment on column admin.usage_limit_history.customer is 'Customer; NULL for all of the tenant.';
comment on column admin.usage_limit_history.token_id is 'Token; NULL for all of the customer.';
comment on column admin.usage_limit_history.provider is 'Provider; NULL for all.';
comment on column admin.usage_limit_history.model is 'Model; NULL for all.';
comment on column admin.usage_limit_history.unit is 'USD, TOKENS, REQUESTS or PARALLEL.';
comment on column admin.usage_limit_history.period is 'MINUTE, DAY, WEEK, MONTH or TOTAL; NULL for PARALLEL.';
comment on column admin.usage_limit_history.amount is 'How much of the unit was allowed.';
comment on column admin.usage_limit_history.is_hard is 'Whether what went beyond was refused.';
comment on column admin.usage_limit_history.raised_amount is 'Allowed instead of amount until raised_until.';
comment on column admin.usage_limit_history.raised_until is 'When the raise ended.';
comment on column admin.usage_limit_history.load_date is 'Since when this version holds.';
comment on column admin.usage_limit_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.usage_limit_history.record_source is 'SQL user who made this version.';
comment on column admin.usage_limit_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.usage_limit_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.usage_limit_history.end_reason is 'Why it was deleted.';
