-- What credit notes take off an invoice, and what of a note was taken off its invoice (below zero). Nothing is PAID
-- while something is due.
set local role onevault_owner;

alter table gateway.invoice_s add column credited numeric(20, 4) not null default 0;
-- squawk-ignore ban-drop-constraint
alter table gateway.invoice_s drop constraint nothing_is_paid_twice;
-- squawk-ignore ban-drop-constraint
alter table gateway.invoice_s drop constraint paid_means_all_of_it;
alter table gateway.invoice_s
add constraint nothing_is_paid_twice check (
    credited + prepaid_applied + paid between least(total, 0) and greatest(total, 0)
) not valid,
add constraint paid_means_all_of_it check (
    invoice_status <> 'PAID' or credited + prepaid_applied + paid = total
) not valid;
comment on column gateway.invoice_s.credited is
'What credit notes took off it; of a credit note what was taken off its invoice, below zero.';
