-- The ledger and the invoices: what was booked stays as it was booked; corrections are new entries.
set local role onevault_owner;

-- It tells the invoice as well now, and needs to know whose.
-- squawk-ignore ban-drop-function
drop function if exists gateway.fn_bill_usage(text, date);

create table gateway.credit_h (
    credit_hk bytea primary key,
    credit_bk varchar(300) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);
create index credit_h_by_customer on gateway.credit_h (customer_hk);

create table gateway.credit_s (
    credit_hk bytea not null references gateway.credit_h (credit_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    credit_kind varchar(20) not null,
    amount_usd numeric(20, 10) not null,
    priority smallint not null default 100,
    valid_from date not null,
    expires_on date not null default 'infinity',
    description varchar(200) not null,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (credit_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint credit_kind_is_known check (credit_kind in ('PREPAID', 'PROMOTION')),
    constraint credit_is_positive check (amount_usd > 0),
    constraint credit_has_a_beginning check (isfinite(valid_from)),
    constraint expires_on_is_after_valid_from check (expires_on > valid_from)
);
create unique index credit_s_has_one_current_row on gateway.credit_s (credit_hk) where load_end_date is null;

create table gateway.invoice_h (
    invoice_hk bytea primary key,
    invoice_bk varchar(300) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);
create index invoice_h_by_customer on gateway.invoice_h (customer_hk);

create table gateway.invoice_s (
    invoice_hk bytea not null references gateway.invoice_h (invoice_hk),
    load_date timestamptz not null default util.current_load_date(),
    load_end_date timestamptz,
    hash_diff bytea not null,
    invoice_kind varchar(20) not null,
    invoice_status varchar(20) not null,
    billing_period date not null,
    legal_entity_hk bytea not null references gateway.legal_entity_h (legal_entity_hk),
    invoice_number varchar(60),
    refers_to_hk bytea references gateway.invoice_h (invoice_hk),
    known_at timestamptz not null,
    lines_load_date timestamptz not null,
    issued_on date,
    due_on date,
    currency varchar(3) not null,
    units_per_usd numeric(20, 10) not null,
    rate_date date,
    decimals smallint not null,
    seller jsonb not null,
    buyer jsonb not null,
    usage jsonb not null,
    exact_usd numeric(20, 10) not null,
    subtotal numeric(20, 4) not null,
    tax_total numeric(20, 4) not null,
    total numeric(20, 4) not null,
    prepaid_applied numeric(20, 4) not null default 0,
    paid numeric(20, 4) not null default 0,
    record_source varchar(100) not null,
    change_reason varchar(500),
    ended_by varchar(100),
    end_reason varchar(500),
    primary key (invoice_hk, load_date),
    constraint load_end_date_is_after_load_date check (load_end_date > load_date),
    constraint billing_period_is_a_month check (extract(day from billing_period) = 1),
    constraint invoice_kind_is_known check (invoice_kind in ('INVOICE', 'CREDIT_NOTE')),
    constraint invoice_status_is_known check (invoice_status in ('DRAFT', 'FINAL', 'PAID', 'VOID')),
    constraint numbers_are_for_what_is_final check (
        (invoice_status = 'DRAFT') = (invoice_number is null) and (invoice_number is null) = (issued_on is null)
    ),
    constraint subtotal_and_tax_make_the_total check (subtotal + tax_total = total),
    constraint nothing_is_paid_twice check (
        prepaid_applied + paid between least(total, 0) and greatest(total, 0)
    ),
    constraint paid_means_all_of_it check (invoice_status <> 'PAID' or prepaid_applied + paid = total)
);
create unique index invoice_s_has_one_current_row on gateway.invoice_s (invoice_hk) where load_end_date is null;
create unique index invoice_s_has_each_number_once on gateway.invoice_s (invoice_number)
where load_end_date is null and invoice_number is not null;

create table gateway.invoice_line_s (
    invoice_hk bytea not null references gateway.invoice_h (invoice_hk),
    load_date timestamptz not null default util.current_load_date(),
    line_number smallint not null,
    customer_hk bytea not null,
    tenant_hk bytea not null,
    line_kind varchar(20) not null,
    description varchar(500) not null,
    usage_period date,
    provider varchar(255),
    model varchar(355),
    plan varchar(255),
    credit_hk bytea,
    tax_percent numeric(9, 4),
    days smallint,
    requests bigint,
    input_tokens bigint,
    cache_read_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint,
    total_tokens bigint,
    provider_cost_usd numeric(20, 10),
    markup_usd numeric(20, 10),
    exact_usd numeric(20, 10) not null,
    exact numeric(30, 10) not null,
    amount numeric(20, 4) not null,
    remainder numeric(20, 10) not null,
    record_source varchar(100) not null,
    primary key (invoice_hk, load_date, line_number),
    constraint line_kind_is_known check (
        line_kind in ('USAGE', 'INCLUDED', 'SERVICE', 'ADJUSTMENT', 'PROMOTION', 'TAX')
    ),
    constraint remainder_is_kept check (amount + remainder = exact)
);

create table gateway.invoice_counter (
    legal_entity_hk bytea not null references gateway.legal_entity_h (legal_entity_hk),
    series varchar(20) not null,
    last_number bigint not null,
    primary key (legal_entity_hk, series)
);

create table gateway.month_close_s (
    tenant_hk bytea not null references auth.tenant_h (tenant_hk),
    billing_period date not null,
    load_date timestamptz not null default util.current_load_date(),
    invoices integer not null,
    record_source varchar(100) not null,
    primary key (tenant_hk, billing_period),
    constraint billing_period_is_a_month check (extract(day from billing_period) = 1)
);

create table gateway.ledger_entry_h (
    ledger_entry_hk bytea primary key,
    ledger_entry_bk varchar(400) not null unique,
    customer_hk bytea not null references gateway.customer_h (customer_hk),
    tenant_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    record_source varchar(100) not null
);
create index ledger_entry_h_by_customer on gateway.ledger_entry_h (customer_hk);

create table gateway.ledger_entry_s (
    ledger_entry_hk bytea not null references gateway.ledger_entry_h (ledger_entry_hk),
    customer_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    hash_diff bytea not null,
    entry_kind varchar(40) not null,
    billing_period date,
    invoice_hk bytea references gateway.invoice_h (invoice_hk),
    refers_to_hk bytea references gateway.ledger_entry_h (ledger_entry_hk),
    memo varchar(500),
    record_source varchar(100) not null,
    primary key (ledger_entry_hk),
    constraint entry_kind_is_a_word check (entry_kind ~ '^[A-Z_]{3,40}$')
);

create table gateway.ledger_posting_s (
    ledger_entry_hk bytea not null references gateway.ledger_entry_h (ledger_entry_hk),
    posting_number smallint not null,
    customer_hk bytea not null,
    load_date timestamptz not null default util.current_load_date(),
    account varchar(40) not null,
    amount_usd numeric(20, 10) not null,
    credit_hk bytea references gateway.credit_h (credit_hk),
    record_source varchar(100) not null,
    primary key (ledger_entry_hk, posting_number),
    constraint posting_moves_something check (amount_usd <> 0),
    constraint account_is_known check (account in (
        'unbilled', 'receivable', 'prepaid', 'cash', 'usage_revenue', 'service_revenue', 'promotion', 'tax_payable',
        'adjustment', 'rounding', 'breakage'
    ))
);
create index ledger_posting_s_by_customer on gateway.ledger_posting_s (customer_hk, account);

alter table gateway.credit_h enable row level security, force row level security;
alter table gateway.credit_s enable row level security, force row level security;
alter table gateway.invoice_h enable row level security, force row level security;
alter table gateway.invoice_s enable row level security, force row level security;
alter table gateway.invoice_line_s enable row level security, force row level security;
alter table gateway.month_close_s enable row level security, force row level security;
alter table gateway.ledger_entry_h enable row level security, force row level security;
alter table gateway.ledger_entry_s enable row level security, force row level security;
alter table gateway.ledger_posting_s enable row level security, force row level security;
create policy owner_sees_all on gateway.credit_h to onevault_owner using (true);
create policy owner_sees_all on gateway.credit_s to onevault_owner using (true);
create policy owner_sees_all on gateway.invoice_h to onevault_owner using (true);
create policy owner_sees_all on gateway.invoice_s to onevault_owner using (true);
create policy owner_sees_all on gateway.invoice_line_s to onevault_owner using (true);
create policy owner_sees_all on gateway.month_close_s to onevault_owner using (true);
create policy owner_sees_all on gateway.ledger_entry_h to onevault_owner using (true);
create policy owner_sees_all on gateway.ledger_entry_s to onevault_owner using (true);
create policy owner_sees_all on gateway.ledger_posting_s to onevault_owner using (true);
create policy tenant_sees_own on gateway.credit_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));
create policy tenant_sees_own on gateway.invoice_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));
create policy tenant_sees_own on gateway.invoice_line_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));
create policy tenant_sees_own on gateway.month_close_s for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));
create policy tenant_sees_own on gateway.ledger_entry_h for select to onevault_reader
using ((select util.fn_sees_all_tenants()) or tenant_hk = (select util.fn_current_tenant()));
create policy tenant_sees_own on gateway.credit_s for select to onevault_reader
using (exists (select from gateway.credit_h as h where h.credit_hk = credit_s.credit_hk));
create policy tenant_sees_own on gateway.invoice_s for select to onevault_reader
using (exists (select from gateway.invoice_h as h where h.invoice_hk = invoice_s.invoice_hk));
create policy tenant_sees_own on gateway.ledger_entry_s for select to onevault_reader
using (
    (select util.fn_sees_all_tenants())
    or exists (
        select from gateway.customer_h as h
        where h.customer_hk = ledger_entry_s.customer_hk and h.tenant_hk = (select util.fn_current_tenant())
    )
);
create policy tenant_sees_own on gateway.ledger_posting_s for select to onevault_reader
using (
    (select util.fn_sees_all_tenants())
    or exists (
        select from gateway.customer_h as h
        where h.customer_hk = ledger_posting_s.customer_hk and h.tenant_hk = (select util.fn_current_tenant())
    )
);

alter table gateway.plan_s validate constraint included_usage_is_not_negative;

comment on table gateway.credit_h is 'Hub: a credit that a customer was granted; business key customer|credit.';
comment on table gateway.credit_s is 'Amount, kind and days of a credit.';
comment on table gateway.invoice_h is 'Hub: an invoice or a credit note; business key customer|yyyy-mm|n.';
comment on table gateway.invoice_s is
'Every state of an invoice, with what stood on it; its lines are those of lines_load_date.';
comment on table gateway.invoice_line_s is
'Lines of an invoice, written once: exact in USD and in its currency, rounded, and what rounding left.';
comment on table gateway.invoice_counter is
'The last number that a seller has given, by series: one row is locked, so there is no gap.';
comment on table gateway.month_close_s is 'Months of tenants that are closed, and when.';
comment on table gateway.ledger_entry_h is
'Hub: an entry of the ledger; its business key is what makes it happen once.';
comment on table gateway.ledger_entry_s is 'What an entry is about.';
comment on table gateway.ledger_posting_s is
'Postings of an entry in exact USD: debits above 0, credits below, together 0.';
