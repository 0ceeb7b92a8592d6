-- The ledger balances, and says what invoices say; an invoice is the sum of its lines.
drop view if exists ops.unbalanced_entry;
create view ops.unbalanced_entry as
select
    h.ledger_entry_bk::text as subject, h.customer_hk,
    format('has postings that come to %s USD', coalesce(trim_scale(p.usd)::text, 'nothing')) as finding
from gateway.ledger_entry_h as h
left join lateral (
    select sum(s.amount_usd) as usd from gateway.ledger_posting_s as s where s.ledger_entry_hk = h.ledger_entry_hk
) as p on true
where h.ledger_entry_hk >= ops.fn_check_from() and p.usd is distinct from 0
union all
select
    i.invoice_number::text, h.customer_hk,
    case
        when l.amount <> i.total then format('comes to %s and its lines to %s', i.total, l.amount)
        when l.exact_usd <> i.exact_usd then format('is %s USD and its lines are %s', i.exact_usd, l.exact_usd)
        else 'is not what the ledger says is owed'
    end
from gateway.invoice_s as i
inner join gateway.invoice_h as h on i.invoice_hk = h.invoice_hk
cross join lateral (
    select coalesce(sum(k.amount), 0) as amount,
        coalesce(sum(k.exact_usd) filter (where k.line_kind <> 'TAX'), 0) as exact_usd
    from gateway.invoice_line_s as k
    where k.invoice_hk = i.invoice_hk and k.load_date = i.lines_load_date
) as l
cross join lateral (
    select coalesce(sum(p.amount_usd) filter (where e.entry_kind in ('INVOICE', 'CREDIT_NOTE')), 0) as usd
    from gateway.ledger_entry_s as e
    inner join gateway.ledger_posting_s as p on e.ledger_entry_hk = p.ledger_entry_hk
    where e.invoice_hk = i.invoice_hk and p.account = 'receivable'
) as o
where
    i.load_end_date is null and i.invoice_status in ('FINAL', 'PAID')
    and i.known_at >= util.fn_request_time(ops.fn_check_from())
    and (l.amount <> i.total or l.exact_usd <> i.exact_usd or o.usd <> round(i.total / i.units_per_usd, 10));

comment on view ops.unbalanced_entry is
'Entries of the ledger whose debits and credits differ, and invoices that are not the sum of their lines or not what the
ledger says. Must be empty.';
comment on column ops.unbalanced_entry.subject is 'Name of the entry, or number of the invoice.';
comment on column ops.unbalanced_entry.customer_hk is 'Whose it is.';
comment on column ops.unbalanced_entry.finding is 'What is wrong with it.';
