-- What an offer meets is a fact with a time, and what was required of a call is held against it by the tables
-- themselves: no rule and no function can send a call where it must not go.
set local role onevault_owner;

create table gateway.offer_compliance_s (
    offer_hk bytea not null references gateway.offer_l (offer_hk),
    compliance_level varchar(40) not null,
    valid_from timestamptz not null default '-infinity',
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    valid_to timestamptz not null default 'infinity',
    is_met boolean not null default true,
    evidence varchar(500),
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (offer_hk, compliance_level, valid_from, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint valid_to_is_after_valid_from check (valid_to > valid_from)
);

create unique index offer_compliance_s_has_one_current_row
on gateway.offer_compliance_s (offer_hk, compliance_level, valid_from) where load_end_date is null;

comment on table gateway.offer_compliance_s is
'What a model at a provider meets (BAA, a region, zero retention, ...), bitemporal: valid_from/valid_to say when it
holds, load_date/load_end_date when it was known. It lies over what its provider meets as a whole.';
comment on column gateway.offer_compliance_s.is_met is 'False: the level is not met here, whatever the provider says.';

create function gateway.fn_all_meet(p_offers jsonb, p_levels text[]) returns boolean
language sql immutable parallel safe
begin atomic
    select coalesce(bool_and(coalesce(o.offer -> 'levels' ?& p_levels, false)), true)
    from jsonb_array_elements(p_offers) as o (offer);
end;
comment on function gateway.fn_all_meet(jsonb, text[]) is
'Whether each of these offers, as a reservation keeps them, meets all of these compliance levels.';

-- Calls on their way were chosen by what their providers met.
update ops.reservation as r
set candidates = (
    select jsonb_agg(c.offer || jsonb_build_object('levels', r.compliance_flags) order by c.place)
    from jsonb_array_elements(r.candidates) with ordinality as c (offer, place)
)
where r.compliance_flags is not null;
-- squawk-ignore constraint-missing-not-valid
alter table ops.reservation add constraint candidates_meet_what_is_required check (
    compliance_flags is null or gateway.fn_all_meet(candidates, compliance_flags)
);

alter table gateway.api_request_attempt_s add column compliance_required text[];
alter table gateway.api_request_attempt_s add column compliance_met text[];
-- squawk-ignore constraint-missing-not-valid
alter table gateway.api_request_attempt_s add constraint provider_meets_what_is_required check (
    compliance_required is null or coalesce(compliance_met @> compliance_required, false)
);
comment on column gateway.api_request_attempt_s.compliance_required is
'Compliance levels that were required of whoever was called; NULL for none.';
comment on column gateway.api_request_attempt_s.compliance_met is
'Compliance levels that this model at this provider met when the call was decided; kept where some were required.';
