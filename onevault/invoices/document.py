"""The document of an invoice, as the database gives it: one shape for drafts, finals and credit notes.

Amounts are in the invoice's currency, with its decimals; what ends in `_usd` is exact. A field that is not known here
is refused: a bill that leaves something out is wrong.

    ValueError
     └── msgspec.ValidationError    what the JSON has that no invoice may have, and where
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

Count = Annotated[int, Meta(ge=0)]
Kind = Literal["INVOICE", "CREDIT_NOTE"]
Status = Literal["draft", "final", "paid", "void"]
LineKind = Literal["USAGE", "SERVICE", "INCLUDED", "PROMOTION", "ADJUSTMENT", "TAX"]
Currency = Annotated[str, Meta(pattern=r"\A[A-Z]{3}\Z")]
_ZERO: Final = Decimal(0)


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What all parts share: figures are numbers, and no NaN or infinity among them."""

    def __post_init__(self) -> None:
        for name in self.__struct_fields__:
            value = getattr(self, name)
            if isinstance(value, Decimal) and not value.is_finite():
                raise ValueError(f"`{name}` is no number")


class Party(_Part, frozen=True):
    """Who sells or buys; only a seller has payment instructions."""

    legal_name: str
    address: tuple[str, ...] = ()
    tax_number: str | None = None
    email: str | None = None
    payment_instructions: tuple[str, ...] = ()


class Usage(_Part, frozen=True):
    """What was used in the period, in exact USD; `own_key_cost_usd`, which the buyer pays elsewhere, is in no sum."""

    requests: Count
    total_tokens: Count
    provider_cost_usd: Decimal
    markup_usd: Decimal
    charges_usd: Decimal
    own_key_cost_usd: Decimal = _ZERO
    saved_usd: Decimal | None = None


class Line(_Part, frozen=True):
    """One line: `exact_usd`, what it became in the invoice's currency, and what the rounding left (`remainder_usd`)."""

    number: Count
    kind: LineKind
    description: str
    exact_usd: Decimal
    amount: Decimal
    remainder_usd: Decimal = _ZERO
    provider: str | None = None
    model: str | None = None
    plan: str | None = None
    days: Count | None = None
    tax_percent: Decimal | None = None
    requests: Count | None = None
    input_tokens: Count | None = None
    cache_read_tokens: Count | None = None
    cache_write_tokens: Count | None = None
    output_tokens: Count | None = None
    total_tokens: Count | None = None
    provider_cost_usd: Decimal | None = None
    markup_usd: Decimal | None = None


class Document(_Part, frozen=True):
    """An invoice or a credit note. A draft has no number and no dates yet; it says what was known when (`known_at`)."""

    object: Literal["invoice"]
    kind: Kind
    status: Status
    tenant: str
    customer: str
    period: str
    period_from: date
    period_to: date
    known_at: datetime
    currency: Currency
    lines: tuple[Line, ...]
    subtotal: Decimal
    tax_total: Decimal
    total: Decimal
    prepaid_applied: Decimal
    paid: Decimal
    due: Decimal
    invoice_number: str | None = None
    issued_on: date | None = None
    due_on: date | None = None
    refers_to: str | None = None
    seller: Party | None = None
    buyer: Party | None = None
    units_per_usd: Decimal = Decimal(1)
    exact_usd: Decimal | None = None
    credited: Decimal = _ZERO
    rate_date: date | None = None
    usage: Usage | None = None

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.period_to - self.period_from).days + 1

    @property
    def moment(self) -> datetime:
        """The moment that the document speaks of, the same whenever it is rendered."""
        if self.issued_on is not None:
            return datetime(self.issued_on.year, self.issued_on.month, self.issued_on.day, tzinfo=UTC)
        return self.known_at.astimezone(UTC)

    def of_kind(self, *kinds: LineKind) -> tuple[Line, ...]:
        """The lines of some kinds, in their order."""
        return tuple(line for line in self.lines if line.kind in kinds)


_DECODER: Final = msgspec.json.Decoder(Document)


def read(text: bytes | str) -> Document:
    """The document that the database gave as JSON; raises `msgspec.ValidationError` if it is none."""
    return _DECODER.decode(text)


def read_value(value: object) -> Document:
    """The same from JSON that the database driver has parsed already."""
    return msgspec.convert(value, Document)


def contradictions(document: Document) -> list[str]:
    """Where the figures of a document do not add up, a sentence each; of a right one none."""
    taxes = sum((line.amount for line in document.of_kind("TAX")), _ZERO)
    others = sum((line.amount for line in document.lines if line.kind != "TAX"), _ZERO)
    found = [
        (document.subtotal == others, f"the lines sum to {others}, the subtotal is {document.subtotal}"),
        (document.tax_total == taxes, f"the lines of tax sum to {taxes}, the tax is {document.tax_total}"),
        (document.total == document.subtotal + document.tax_total, "the total is not subtotal plus tax"),
        (
            document.status == "void"
            or document.due == document.total - document.credited - document.prepaid_applied - document.paid,
            "what is due is not the total less what was credited, prepaid and paid",
        ),
    ]
    return [sentence for is_so, sentence in found if not is_so]
