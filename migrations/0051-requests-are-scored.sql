-- Customers tell how good an answer was, as a number; what models are good at follows from it, and routing goes by it.
set local role onevault_owner;

create table gateway.api_request_feedback_s (
    api_request_hk bytea not null,
    customer_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    offer_hk bytea not null,
    request_type varchar(50) not null,
    score numeric(4, 3) not null,
    record_source varchar(100) not null,
    primary key (api_request_hk, load_date, customer_hk),
    constraint score_is_between_0_and_1 check (score between 0 and 1)
) partition by range (api_request_hk);

create table gateway.api_request_feedback_s_default partition of gateway.api_request_feedback_s default;

alter table gateway.api_request_feedback_s enable row level security, force row level security;
create policy owner_sees_all on gateway.api_request_feedback_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.api_request_feedback_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or exists (
    select from gateway.customer_h as h
    where h.customer_hk = api_request_feedback_s.customer_hk
));

comment on table gateway.api_request_feedback_s is
'What customers think of answers: written once; of several scores of a request the last one counts.';
comment on column gateway.api_request_feedback_s.score is '0 is useless, 1 as good as can be.';

create table gateway.offer_quality_s (
    offer_hk bytea not null references gateway.offer_l (offer_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    quality_by_type jsonb not null,
    score_count_by_type jsonb not null,
    record_source varchar(100) not null,
    primary key (offer_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint qualities_are_an_object check (jsonb_typeof(quality_by_type) = 'object')
);
create unique index offer_quality_s_has_one_current_row on gateway.offer_quality_s (offer_hk)
where load_end_date is null;
comment on table gateway.offer_quality_s is 'How good a model at a provider is, by type of request, as scores tell.';
comment on column gateway.offer_quality_s.quality_by_type is
'0 to 100 for each type that has enough scores; what the DBA expected counts as twenty scores.';
comment on column gateway.offer_quality_s.score_count_by_type is 'How many requests were scored, by type.';
