drop view if exists admin.compliance_fact;
drop view if exists admin.compliance_fact_history;
create view admin.compliance_fact_history as
select
    p.provider_bk::text as provider,
    m.model_bk::text as model,
    s.compliance_level::text as compliance_level,
    s.is_met,
    s.valid_from,
    s.valid_to,
    s.evidence::text as evidence,
    s.load_date,
    s.load_end_date,
    s.record_source::text as record_source,
    s.change_reason::text as change_reason,
    s.ended_by::text as ended_by,
    s.end_reason::text as end_reason
from gateway.offer_l as l
inner join gateway.offer_compliance_s as s on l.offer_hk = s.offer_hk
inner join gateway.ai_provider_h as p on l.provider_hk = p.provider_hk
inner join gateway.model_h as m on l.model_hk = m.model_hk;

create view admin.compliance_fact as
select
    f.provider, f.model, f.compliance_level, f.is_met, f.valid_from, f.valid_to, f.evidence,
    f.valid_from <= n.moment and f.valid_to > n.moment and not exists (
        select from admin.compliance_fact_history as later
        where
            later.provider = f.provider and later.model = f.model and later.compliance_level = f.compliance_level
            and util.fn_is_in_force(later.load_date, later.load_end_date)
            and later.valid_from > f.valid_from and later.valid_from <= n.moment and later.valid_to > n.moment
    ) as is_in_force
from admin.compliance_fact_history as f
cross join lateral least(util.fn_as_of(), now()) as n (moment)
where util.fn_is_in_force(f.load_date, f.load_end_date);

comment on view admin.compliance_fact is
'What models meet at their providers, by date: BAA, EU, ZERO_RETENTION, NO_TRAINING, or whatever customers and rules
require. Such a row lies over admin.provider.compliance_levels, which hold for all models of a provider; of the rows of
a level that hold at a moment the one with the latest valid_from counts.';
comment on column admin.compliance_fact.provider is 'Provider that runs the model.';
comment on column admin.compliance_fact.model is 'Model.';
comment on column admin.compliance_fact.compliance_level is 'What is met: a word, in upper case.';
comment on column admin.compliance_fact.is_met is
'False: it is not met by this model, whatever its provider meets as a whole. True if not given.';
comment on column admin.compliance_fact.valid_from is 'From when on it holds; since ever if not given.';
comment on column admin.compliance_fact.valid_to is 'Until when it holds; infinity if not given.';
comment on column admin.compliance_fact.evidence is 'What says so: a contract, a page, an audit.';
comment on column admin.compliance_fact.is_in_force is 'Whether it is the one that counts now.';

comment on view admin.compliance_fact_history is 'Every version of every compliance fact, deleted ones included.';
comment on column admin.compliance_fact_history.provider is 'Provider that runs the model.';
comment on column admin.compliance_fact_history.model is 'Model.';
comment on column admin.compliance_fact_history.compliance_level is 'What is met.';
comment on column admin.compliance_fact_history.is_met is 'Whether it was met.';
comment on column admin.compliance_fact_history.valid_from is 'From when on it held.';
comment on column admin.compliance_fact_history.valid_to is 'Until when it held.';
comment on column admin.compliance_fact_history.evidence is 'What said so.';
comment on column admin.compliance_fact_history.load_date is 'Since when this version is known.';
comment on column admin.compliance_fact_history.load_end_date is 'When it ended; NULL for the version in force.';
comment on column admin.compliance_fact_history.record_source is 'SQL user who made this version.';
comment on column admin.compliance_fact_history.change_reason is 'Why this version was made, as its maker said.';
comment on column admin.compliance_fact_history.ended_by is 'SQL user who deleted it; NULL unless it was.';
comment on column admin.compliance_fact_history.end_reason is 'Why it was deleted.';
