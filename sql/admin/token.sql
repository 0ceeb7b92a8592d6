drop view if exists admin.token;
drop view if exists admin.token_history;
create view admin.token_history as
select
    h.token_bk::text as token_id,
    c.customer_bk::text as customer,
    s.token_name::text as token_name,
    s.token_hint::text as token_hint,
    s.token_status::text as token_status,
    s.expires_at,
    s.scopes,
    s.rate_limit_requests_per_minute,
    trim_scale(s.cost_budget_daily) as cost_budget_daily,
    trim_scale(s.cost_budget_monthly) as cost_budget_monthly,
    s.allowed_models,
    s.allowed_addresses,
    h.load_date as issued_at,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.token_h as h
inner join gateway.token_s as s on h.token_hk = s.token_hk
inner join gateway.customer_h as c on h.customer_hk = c.customer_hk;

create view admin.token as
select
    t.token_id, t.customer, t.token_name, t.token_hint, t.token_status, t.expires_at, t.scopes,
    t.rate_limit_requests_per_minute, t.cost_budget_daily, t.cost_budget_monthly, t.allowed_models, t.allowed_addresses,
    t.issued_at
from admin.token_history as t
where util.fn_is_in_force(t.load_date, t.load_end_date);

comment on view admin.token is
'Customers'' tokens, without what is secret. They are issued by the command "onevault token issue"; DELETE revokes,
and a revoked token stays in the list, since its callers must be told so.';
comment on column admin.token.token_id is 'Name of the token in commands; public.';
comment on column admin.token.customer is 'Who calls with it.';
comment on column admin.token.token_name is 'What people call it.';
comment on column admin.token.token_hint is 'Its first and last characters, to tell tokens apart.';
comment on column admin.token.token_status is 'ACTIVE or REVOKED; revoked is for good.';
comment on column admin.token.expires_at is 'From when on it is refused; NULL for never.';
comment on column admin.token.scopes is 'What it may be used for: inference, usage, billing, admin.';
comment on column admin.token.rate_limit_requests_per_minute is
'Requests a minute with this token; NULL for the customer''s.';
comment on column admin.token.cost_budget_daily is 'USD a day with this token; NULL for the customer''s.';
comment on column admin.token.cost_budget_monthly is 'USD a month with this token; NULL for the customer''s.';
comment on column admin.token.allowed_models is
'Models (model, or provider/model) that it may use, out of the customer''s; NULL for all of those.';
comment on column admin.token.allowed_addresses is
'Networks that it may be used from, like {10.0.0.0/8,2001:db8::/32}; NULL for any address.';
comment on column admin.token.issued_at is 'When it was issued.';

comment on view admin.token_history is 'Every version of every token.';
comment on column admin.token_history.token_id is 'Name of the token in commands.';
comment on column admin.token_history.customer is 'Who calls with it.';
comment on column admin.token_history.token_name is 'What people call it.';
comment on column admin.token_history.token_hint is 'Its first and last characters.';
comment on column admin.token_history.token_status is 'ACTIVE or REVOKED.';
comment on column admin.token_history.expires_at is 'From when on it is refused; NULL for never.';
comment on column admin.token_history.scopes is 'What it could be used for.';
comment on column admin.token_history.rate_limit_requests_per_minute is 'Requests a minute; NULL for the customer''s.';
comment on column admin.token_history.cost_budget_daily is 'USD a day; NULL for the customer''s.';
comment on column admin.token_history.cost_budget_monthly is 'USD a month; NULL for the customer''s.';
comment on column admin.token_history.allowed_models is 'Models that it could use; NULL for the customer''s.';
comment on column admin.token_history.allowed_addresses is 'Networks that it could be used from; NULL for any.';
comment on column admin.token_history.issued_at is 'When it was issued.';
comment on column admin.token_history.load_date is 'Since when this version holds.';
comment on column admin.token_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.token_history.record_source is 'SQL user who made this version.';
comment on column admin.token_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.token_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.token_history.end_reason is 'Why it was deleted.';
