drop view if exists admin.exchange_rate;
drop view if exists admin.exchange_rate_history;
create view admin.exchange_rate_history as
select
    h.currency_bk::text as currency,
    s.rate_date,
    trim_scale(s.units_per_usd) as units_per_usd,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.currency_h as h
inner join gateway.exchange_rate_s as s on h.currency_hk = s.currency_hk;

create view admin.exchange_rate as
select e.currency, e.rate_date, e.units_per_usd
from admin.exchange_rate_history as e
where util.fn_is_in_force(e.load_date, e.load_end_date);

comment on view admin.exchange_rate is
'What a USD is in other currencies, by days. An invoice takes the last rate up to its day; a rate stands on it.';
comment on column admin.exchange_rate.currency is 'Currency by ISO 4217, such as EUR.';
comment on column admin.exchange_rate.rate_date is 'Day of the rate; today (UTC) if not given.';
comment on column admin.exchange_rate.units_per_usd is 'Units of it that one USD is.';
comment on view admin.exchange_rate_history is 'Every version of every rate of a currency, deleted ones included.';
comment on column admin.exchange_rate_history.currency is 'Currency.';
comment on column admin.exchange_rate_history.rate_date is 'Day of the rate.';
comment on column admin.exchange_rate_history.units_per_usd is 'Units of it that one USD was.';
comment on column admin.exchange_rate_history.load_date is 'Since when this version is known.';
comment on column admin.exchange_rate_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.exchange_rate_history.record_source is 'SQL user who made this version.';
comment on column admin.exchange_rate_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.exchange_rate_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.exchange_rate_history.end_reason is 'Why it was deleted.';
