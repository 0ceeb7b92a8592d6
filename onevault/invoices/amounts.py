"""How figures are written: nothing that matters is ever rounded away."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Final

MINUS: Final = "\N{MINUS SIGN}"

_SIGNS: Final = {"USD": "$", "EUR": "€", "GBP": "£", "JPY": "¥"}
# ISO 4217: currencies whose smallest unit is not a hundredth.
# fmt: off
_WHOLE: Final = frozenset((
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG",
    "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF",
))
# fmt: on
_THOUSANDTHS: Final = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
# Exact USD have ten decimals; no sum of them is cut.
_EXACT: Final = 10
_CENT: Final = Decimal("0.01")
_WIDE: Final = Context(prec=60, rounding=ROUND_HALF_EVEN)


def decimals_of(currency: str) -> int:
    """How many decimals amounts in a currency have."""
    return 0 if currency in _WHOLE else 3 if currency in _THOUSANDTHS else 2


def write_amount(amount: Decimal, currency: str, *, minus: str = MINUS) -> str:
    """$1,234.56, ¥1,235, −€0.10, CHF 12.00; decimals beyond the currency's are kept if there are any."""
    return _write(amount, max(decimals_of(currency), _decimals(amount)), currency, minus)


def write_usd(amount: Decimal, *, minus: str = MINUS) -> str:
    """Exact USD to the cent; an amount that cents would hide is written whole."""
    is_seen = amount.quantize(_CENT, context=_WIDE)
    return _write(amount, 2 if is_seen else max(2, _decimals(amount)), "USD", minus)


def write_exact_usd(amount: Decimal, *, minus: str = MINUS) -> str:
    """Exact USD with all decimals."""
    return _write(amount, max(2, _decimals(amount)), "USD", minus)


def write_column(amounts: Iterable[Decimal | None], *, minus: str = MINUS) -> list[str]:
    """Exact USD under each other, without sign: as many decimals for all as let none look like nothing; '' for None."""
    column = list(amounts)
    decimals = max((_visible(amount) for amount in column if amount), default=2)
    return ["" if amount is None else _figure(amount, decimals, minus) for amount in column]


def write_figure(amount: Decimal, currency: str, *, minus: str = MINUS) -> str:
    """As `write_amount`, without the currency: for a column that names it."""
    return _figure(amount, max(decimals_of(currency), _decimals(amount)), minus)


def write_count(count: int | None) -> str:
    """1,000,000."""
    return "" if count is None else f"{count:,}"


def write_rate(rate: Decimal) -> str:
    """A rate with the decimals that it has."""
    return f"{_trim(rate):,f}"


def _write(amount: Decimal, decimals: int, currency: str, minus: str) -> str:
    figure = _figure(amount, decimals, minus)
    sign = _SIGNS.get(currency, f"{currency}\N{NO-BREAK SPACE}")
    return f"{minus}{sign}{figure.removeprefix(minus)}" if figure.startswith(minus) else f"{sign}{figure}"


def _figure(amount: Decimal, decimals: int, minus: str) -> str:
    rounded = amount.quantize(Decimal(1).scaleb(-decimals), context=_WIDE)
    return (minus if rounded < 0 else "") + f"{abs(rounded):,.{decimals}f}"


def _visible(amount: Decimal) -> int:
    """From two on, the fewest decimals that show an amount as other than nothing."""
    return next((n for n in range(2, _EXACT) if amount.quantize(Decimal(1).scaleb(-n), context=_WIDE)), _EXACT)


def _decimals(amount: Decimal) -> int:
    exponent = _trim(amount).as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)


def _trim(amount: Decimal) -> Decimal:
    return amount.normalize(_WIDE)
