drop view if exists admin.tax_rate;
drop view if exists admin.tax_rate_history;
create view admin.tax_rate_history as
select
    h.tax_bk::text as tax,
    s.valid_from,
    s.valid_to,
    trim_scale(s.tax_percent) as tax_percent,
    s.description::text as description,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.tax_h as h
inner join gateway.tax_rate_s as s on h.tax_hk = s.tax_hk;

create view admin.tax_rate as
select t.tax, t.valid_from, t.valid_to, t.tax_percent, t.description
from admin.tax_rate_history as t
where util.fn_is_in_force(t.load_date, t.load_end_date);

comment on view admin.tax_rate is
'Rates of taxes by days. A new rate: set valid_to of the one before, and insert one that begins there.';
comment on column admin.tax_rate.tax is 'Tax, as billing profiles name it; made by its first rate.';
comment on column admin.tax_rate.valid_from is 'First day of the rate.';
comment on column admin.tax_rate.valid_to is 'First day without it; infinity if not given.';
comment on column admin.tax_rate.tax_percent is 'Percent of what is billed.';
comment on column admin.tax_rate.description is 'What the line of an invoice says; the name of the tax if not given.';
comment on view admin.tax_rate_history is 'Every version of every rate of a tax, deleted ones included.';
comment on column admin.tax_rate_history.tax is 'Tax.';
comment on column admin.tax_rate_history.valid_from is 'First day of the rate.';
comment on column admin.tax_rate_history.valid_to is 'First day without it.';
comment on column admin.tax_rate_history.tax_percent is 'Percent of what is billed.';
comment on column admin.tax_rate_history.description is 'What the line of an invoice said.';
comment on column admin.tax_rate_history.load_date is 'Since when this version is known.';
comment on column admin.tax_rate_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.tax_rate_history.record_source is 'SQL user who made this version.';
comment on column admin.tax_rate_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.tax_rate_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.tax_rate_history.end_reason is 'Why it was deleted.';
