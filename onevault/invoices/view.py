"""What an invoice says and in which order, in words and written figures, the same for all forms."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from typing import Final

import msgspec

from onevault.invoices import amounts
from onevault.invoices.document import Document, Line, LineKind, Party
from onevault.invoices.words import show, show_lines

HOUSE: Final = "OneVault AI Gateway"
_ZERO: Final = Decimal(0)
# Not the process's locale: a bill reads the same everywhere.
# fmt: off
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)
# fmt: on


class Entry(msgspec.Struct, frozen=True):
    """A line with a figure or a fact; a `part` says what another entry consists of, and is not to be added to it."""

    label: str
    value: str
    is_part: bool = False


class Block(msgspec.Struct, frozen=True):
    """Entries under a heading."""

    title: str
    entries: list[Entry]


class Column(msgspec.Struct, frozen=True):
    """A column of the table: its heading, and whether it holds figures."""

    title: str
    is_figure: bool = True


class Row(msgspec.Struct, frozen=True):
    """A model at a provider."""

    provider: str
    cells: list[str]


class Table(msgspec.Struct, frozen=True):
    """What was used, by provider and model; rows of one provider follow each other."""

    title: str
    columns: list[Column]
    rows: list[Row]


class Mark(msgspec.Struct, frozen=True):
    """A word that must not be overlooked, and what it means."""

    word: str
    meaning: str
    is_warning: bool = True


class View(msgspec.Struct, frozen=True):
    """All that a reader sees, from top to bottom."""

    title: str
    name: str
    mark: Mark | None
    facts: list[Entry]
    seller: list[str]
    buyer: list[str]
    blocks: list[Block]
    sums: list[Entry]
    total: Entry
    settled: list[Entry]
    due: Entry | None
    payment: list[str]
    table: Table | None
    details: list[Entry]


def view_of(document: Document, *, minus: str = amounts.MINUS) -> View:
    """What a document says."""
    money = partial(amounts.write_amount, currency=document.currency, minus=minus)
    total = Entry("Total", money(document.total))
    return View(
        title=f"{HOUSE} - {'Credit Note' if document.kind == 'CREDIT_NOTE' else 'Monthly Bill'}",
        name=_name(document),
        mark=_mark(document),
        facts=_facts(document),
        seller=_party(document.seller),
        buyer=_party(document.buyer) or [show(document.customer)],
        blocks=_blocks(document, money, partial(amounts.write_usd, minus=minus)),
        sums=_sums(document, money),
        total=total,
        settled=_settled(document, money),
        due=_due(document, money),
        payment=_payment(document),
        table=_table(document, minus),
        details=_details(document, money, minus),
    )


def _name(document: Document) -> str:
    """What the document is called where there is one line for it."""
    number = show(document.invoice_number) if document.invoice_number else "draft"
    return f"{number}, {show(document.customer)}, {_month(document)}"


def _mark(document: Document) -> Mark | None:
    refers = f" of {show(document.refers_to)}" if document.refers_to else ""
    marks = {
        "draft": Mark("DRAFT", f"Not an invoice: figures as known at {document.known_at:%Y-%m-%d %H:%M %Z}."),
        "void": Mark("VOID", f"This document{refers} is void: nothing is owed by it."),
        "paid": Mark("PAID", "Nothing is left to be paid.", is_warning=False),
    }
    return marks.get(document.status)


def _facts(document: Document) -> list[Entry]:
    is_credit = document.kind == "CREDIT_NOTE"
    facts = [
        ("Credit note" if is_credit else "Invoice", document.invoice_number or "no number yet"),
        ("Refers to", document.refers_to),
        ("Status", document.status),
        ("Period", _month(document)),
        ("Covers", f"{document.period_from} to {document.period_to}"),
        ("Issued", document.issued_on),
        ("Due", document.due_on),
        ("Customer", f"{document.customer} (tenant {document.tenant})"),
        ("Currency", document.currency),
    ]
    return [Entry(label, show(str(value))) for label, value in facts if value is not None]


def _party(party: Party | None) -> list[str]:
    if party is None:
        return []
    tax = f"Tax no. {show(party.tax_number)}" if party.tax_number else ""
    lines = (show(party.legal_name), *map(show, party.address), tax, show(party.email or ""))
    return [line for line in lines if line]


def _blocks(document: Document, money: Callable[[Decimal], str], usd: Callable[[Decimal], str]) -> list[Block]:
    found = [
        Block("Base Usage", _base_usage(document, money, usd)),
        Block("Value-Added Services", _entries(document, money, "SERVICE")),
        Block("Credits and Adjustments", _entries(document, money, "INCLUDED", "PROMOTION", "ADJUSTMENT")),
    ]
    return [block for block in found if block.entries]


def _base_usage(document: Document, money: Callable[[Decimal], str], usd: Callable[[Decimal], str]) -> list[Entry]:
    lines, usage = document.of_kind("USAGE"), document.usage
    if usage is None:
        return [Entry("Usage", money(_sum(lines)))] if lines else []
    if not lines and document.kind == "CREDIT_NOTE":
        return []
    return [
        Entry(f"{amounts.write_count(usage.total_tokens)} tokens processed", money(_sum(lines))),
        Entry("Provider costs", usd(usage.provider_cost_usd), is_part=True),
        Entry("Gateway markup", usd(usage.markup_usd), is_part=True),
    ]


def _entries(document: Document, money: Callable[[Decimal], str], *kinds: LineKind) -> list[Entry]:
    return [Entry(_describe(document, line), money(line.amount)) for line in document.of_kind(*kinds)]


def _describe(document: Document, line: Line) -> str:
    """What a line is for; of a service that ran for a part of the period, for how many days."""
    if line.days is None or line.days == document.days:
        return show(line.description)
    return f"{show(line.description)} ({line.days} of {document.days} days)"


def _sums(document: Document, money: Callable[[Decimal], str]) -> list[Entry]:
    taxes = _entries(document, money, "TAX")
    if not taxes and not document.tax_total and document.subtotal == document.total:
        return []
    total = Entry("Tax", money(document.tax_total))
    return [Entry("Subtotal", money(document.subtotal)), *taxes, *([] if len(taxes) == 1 else [total])]


def _settled(document: Document, money: Callable[[Decimal], str]) -> list[Entry]:
    """What was taken off the total; of what is given back, to which invoice and by which refund it went."""
    found = [
        (f"Taken off {show(document.refers_to)}" if document.refers_to else "Credited", document.credited),
        ("From prepaid balance", document.prepaid_applied),
        ("Refunded" if document.paid < 0 else "Paid", document.paid),
    ]
    return [Entry(label, money(-amount)) for label, amount in found if amount]


def _due(document: Document, money: Callable[[Decimal], str]) -> Entry | None:
    """What is left to pay; by a void document nothing is."""
    if document.status == "void":
        return None
    if document.kind == "CREDIT_NOTE":
        return Entry("Balance of this credit note", money(document.due))
    is_dated = document.due > 0 and document.due_on is not None
    return Entry(f"Amount due by {document.due_on}" if is_dated else "Amount due", money(document.due))


def _table(document: Document, minus: str) -> Table | None:
    lines = sorted(document.of_kind("USAGE"), key=lambda line: (line.provider or "", line.number))
    if not lines:
        return None
    usd, figure = partial(amounts.write_column, minus=minus), amounts.write_figure
    figures: list[tuple[str, list[str]]] = [
        ("Requests", _counts([line.requests for line in lines])),
        ("Input tokens", _counts([line.input_tokens for line in lines])),
        ("Cache read", _counts([line.cache_read_tokens for line in lines])),
        ("Cache write", _counts([line.cache_write_tokens for line in lines])),
        ("Output tokens", _counts([line.output_tokens for line in lines])),
        ("Provider cost, USD", usd([line.provider_cost_usd for line in lines])),
        ("Markup, USD", usd([line.markup_usd for line in lines])),
        (f"Amount, {document.currency}", [figure(line.amount, document.currency, minus=minus) for line in lines]),
    ]
    shown = [(title, cells) for title, cells in figures if any(cells)]
    return Table(
        title="Usage by provider and model",
        columns=[Column("Model", is_figure=False), *(Column(title) for title, _ in shown)],
        rows=[
            Row(show(line.provider or ""), [show(line.model or line.description), *(cells[n] for _, cells in shown)])
            for n, line in enumerate(lines)
        ],
    )


def _counts(counts: Sequence[int | None]) -> list[str]:
    """A column of counts; of nothing but zeros, no column."""
    return [amounts.write_count(count) if any(counts) else "" for count in counts]


def _details(document: Document, money: Callable[[Decimal], str], minus: str) -> list[Entry]:
    usd, exact = partial(amounts.write_usd, minus=minus), partial(amounts.write_exact_usd, minus=minus)
    usage, found = document.usage, []
    if usage is not None:
        found.append(Entry("Requests", amounts.write_count(usage.requests)))
        if usage.saved_usd is not None:
            found.append(Entry("Measured savings", usd(usage.saved_usd)))
        if usage.own_key_cost_usd:
            found.append(Entry("Paid to the providers by yourself, in no sum here", usd(usage.own_key_cost_usd)))
        found.append(Entry("Exact charges for usage", exact(usage.charges_usd)))
    remainder = sum((line.remainder_usd for line in document.lines), _ZERO)
    found.append(Entry("Rounding remainder of all lines", exact(remainder)))
    if document.currency != "USD" or document.rate_date is not None:
        rate = f"1 USD = {amounts.write_rate(document.units_per_usd)} {document.currency}"
        found.append(Entry("Exchange rate", f"{rate} ({document.rate_date})" if document.rate_date else rate))
    found.append(Entry("As known at", f"{document.known_at:%Y-%m-%d %H:%M:%S %Z}"))
    return found


def _payment(document: Document) -> list[str]:
    """How to pay: only where something is to be paid by this document."""
    if document.status != "final" or document.due <= 0 or document.seller is None:
        return []
    return [line for text in document.seller.payment_instructions for line in show_lines(text)]


def _month(document: Document) -> str:
    """November 2026; a period that is no month keeps its name."""
    first = document.period_from
    if document.period != f"{first:%Y-%m}":
        return show(document.period)
    return f"{_MONTHS[first.month - 1]} {first.year}"


def _sum(lines: Sequence[Line]) -> Decimal:
    return sum((line.amount for line in lines), _ZERO)
