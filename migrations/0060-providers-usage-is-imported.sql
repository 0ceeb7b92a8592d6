-- What providers themselves say that was used and asked, as another record source; how far it may be apart from our
-- books; and what a corrected price changes of what was booked, as facts of its own.
set local role onevault_owner;

create table gateway.provider_usage_h (
    provider_usage_hk bytea primary key,
    provider_usage_bk text not null,
    provider_hk bytea not null references gateway.ai_provider_h (provider_hk),
    usage_day date not null,
    usage_kind varchar(20) not null,
    model_name varchar(255) not null,
    provider_key_id varchar(255) not null,
    service_tier varchar(40) not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    constraint usage_day_is_a_day check (isfinite(usage_day)),
    constraint usage_kind_is_known check (usage_kind in (
        'COMPLETION', 'EMBEDDING', 'IMAGE', 'SPEECH', 'TRANSCRIPTION', 'SEARCH', 'COST'
    ))
);
create index provider_usage_h_by_day on gateway.provider_usage_h (provider_hk, usage_day);

create table gateway.provider_usage_s (
    provider_usage_hk bytea not null references gateway.provider_usage_h (provider_usage_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    requests bigint not null default 0,
    input_uncached_tokens bigint not null default 0,
    cache_read_tokens bigint not null default 0,
    cache_write_tokens bigint not null default 0,
    cache_write_1h_tokens bigint not null default 0,
    output_tokens bigint not null default 0,
    other_usage jsonb not null default '{}',
    cost_usd numeric not null default 0,
    record_source varchar(100) not null,
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (provider_usage_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint usage_is_not_negative check (
        requests >= 0 and input_uncached_tokens >= 0 and cache_read_tokens >= 0 and cache_write_tokens >= 0
        and cache_write_1h_tokens >= 0 and output_tokens >= 0
    ),
    constraint other_usage_holds_numbers_only check (
        jsonb_typeof(other_usage) = 'object' and util.fn_is_json_numbers(other_usage)
    ),
    constraint cost_is_a_number check (cost_usd > '-infinity' and cost_usd < 'infinity')
);
create unique index provider_usage_s_has_one_current_row on gateway.provider_usage_s (provider_usage_hk)
where load_end_date is null;

comment on table gateway.provider_usage_h is
'Hub: what a provider counts by: its day (UTC), kind of usage, model, key and service tier, as it names them; empty for
what it did not tell apart.';
comment on column gateway.provider_usage_h.usage_kind is
'What was used (COMPLETION, EMBEDDING, IMAGE, SPEECH, TRANSCRIPTION, SEARCH), or COST for what was asked for it.';
comment on table gateway.provider_usage_s is
'What a provider says was used or asked. An import says all of its days: what a day no longer has ends.';
comment on column gateway.provider_usage_s.cache_write_tokens is 'Written to a cache, except for an hour.';
comment on column gateway.provider_usage_s.other_usage is
'Usage beside the columns, by the price book''s meters: {"input_audio": 1200, "search": 3}.';
comment on column gateway.provider_usage_s.cost_usd is
'What was asked, exactly as told; negative for a credit. 0 where kind is not COST.';

-- squawk-ignore adding-field-with-default
alter table gateway.ai_provider_s add column reconcile_percent numeric(9, 4) not null default 0.5;
-- squawk-ignore adding-field-with-default
alter table gateway.ai_provider_s add column reconcile_usd numeric(20, 10) not null default 0.01;
alter table gateway.ai_provider_s
add constraint tolerance_is_not_negative check (
    reconcile_percent >= 0 and reconcile_usd >= 0 and reconcile_percent <> 'NaN' and reconcile_usd <> 'NaN'
) not valid;
comment on column gateway.ai_provider_s.reconcile_percent is
'How far its own figures may be apart from ours, in percent of its …';
comment on column gateway.ai_provider_s.reconcile_usd is '… or in USD a day and model, whichever allows more.';

alter table gateway.ai_provider_key_s add column provider_key_id varchar(255);
comment on column gateway.ai_provider_key_s.provider_key_id is
'What its provider calls the key in its reports, such as key_… or apikey_…; NULL for not known.';

create table gateway.charge_adjustment_s (
    adjustment_hk bytea not null default uuid_send(uuidv7()),
    customer_hk bytea not null,
    tenant_hk bytea not null,
    api_request_hk bytea not null,
    billing_period date not null,
    old_provider_cost numeric(20, 10) not null,
    new_provider_cost numeric(20, 10) not null,
    delta_provider_cost numeric(20, 10) not null,
    old_own_key_cost numeric(20, 10) not null,
    new_own_key_cost numeric(20, 10) not null,
    old_charge numeric(20, 10) not null,
    new_charge numeric(20, 10) not null,
    delta_charge numeric(20, 10) not null,
    house_loss numeric(20, 10) not null,
    attempt_costs jsonb not null,
    reason varchar(500) not null,
    rerate_run_id uuid not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null,
    primary key (adjustment_hk, customer_hk),
    constraint billing_period_is_a_month check (extract(day from billing_period) = 1),
    constraint deltas_are_differences check (
        delta_provider_cost = new_provider_cost - old_provider_cost and delta_charge = new_charge - old_charge
    ),
    constraint adjusted_amounts_are_not_negative check (
        new_provider_cost >= 0 and new_own_key_cost >= 0 and new_charge >= 0 and house_loss >= 0
    ),
    constraint adjustment_changes_something check (
        delta_provider_cost <> 0 or delta_charge <> 0 or new_own_key_cost <> old_own_key_cost
    ),
    constraint reason_is_given check (btrim(reason) <> '')
);
-- What an invoice has to take up; and what stands of a request.
create index charge_adjustment_s_by_customer on gateway.charge_adjustment_s (customer_hk, load_date);
create index charge_adjustment_s_by_request on gateway.charge_adjustment_s (api_request_hk, customer_hk);

alter table gateway.charge_adjustment_s enable row level security, force row level security;
create policy owner_sees_all on gateway.charge_adjustment_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.charge_adjustment_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));

create function gateway.tg_charge_adjustment_is_kept() returns trigger
language plpgsql
set search_path = ''
as $$
begin
    raise exception using
        errcode = 'VG409', constraint = 'adjustments_are_written_once',
        message = 'An adjustment is never changed or deleted', hint = 'Rate the month again: it makes another one.';
end
$$;

comment on function gateway.tg_charge_adjustment_is_kept() is 'Refuses to change or delete an adjustment.';

create trigger charge_adjustment_is_kept before update or delete on gateway.charge_adjustment_s
for each row execute function gateway.tg_charge_adjustment_is_kept();

comment on table gateway.charge_adjustment_s is
'What a corrected price changes of a booked request, beside the request, which stays as it was. Written once; what
holds is the request and all of its adjustments together.';
comment on column gateway.charge_adjustment_s.billing_period is
'Month of the request, in its tenant''s time zone; its first day.';
comment on column gateway.charge_adjustment_s.old_provider_cost is
'What all attempts cost the house as it stood before: booked, and adjusted so far.';
comment on column gateway.charge_adjustment_s.old_own_key_cost is 'What the provider asked the customer himself.';
comment on column gateway.charge_adjustment_s.new_charge is
'What the customer owes by the corrected price, never more than was held for the call.';
comment on column gateway.charge_adjustment_s.house_loss is 'What of the corrected charge was more than was held.';
comment on column gateway.charge_adjustment_s.attempt_costs is
'By attempt_number, what its provider_cost is changed by in USD, as text: {"1": "-0.0000120000"}.';
comment on column gateway.charge_adjustment_s.rerate_run_id is 'Which run of gateway.sp_rerate() made it.';
