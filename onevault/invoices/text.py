"""An invoice as plain text, for a terminal or a mail."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from onevault.invoices.document import Document
from onevault.invoices.view import Entry, Table, View, view_of
from onevault.invoices.words import runs_leftwards, width_of

_ISOLATE: Final = "\N{FIRST STRONG ISOLATE}"
_POP: Final = "\N{POP DIRECTIONAL ISOLATE}"


def render(document: Document) -> str:
    """The invoice as text; ends with a line break."""
    view = view_of(document, minus="-")
    return "\n".join(line.rstrip() for line in _lines(view)) + "\n"


def _lines(view: View) -> Iterable[str]:
    yield view.title
    yield "=" * width_of(view.title)
    if view.mark is not None:
        yield from ("", f"*** {view.mark.word} ***  {view.mark.meaning}")
    yield ""
    facts = [(fact.label, [fact.value]) for fact in view.facts]
    for label, values in (*facts, ("From", view.seller), ("To", view.buyer)):
        for n, value in enumerate(values):
            yield f"{'' if n else label:<12}{_apart(value)}"
    for block in view.blocks:
        yield from ("", f"{block.title}:", *map(_item, block.entries))
    yield ""
    yield from map(_plain, (*view.sums, view.total, *view.settled, *([view.due] if view.due else [])))
    if view.payment:
        yield from ("", "How to pay:", *map(_apart, view.payment))
    if view.table is not None:
        yield from ("", f"{view.table.title}:", "", *_table(view.table))
    yield from ("", "Details:", *map(_item, view.details))


def _item(entry: Entry) -> str:
    return f"- {_plain(entry)}"


def _plain(entry: Entry) -> str:
    return f"{_apart(entry.label)}: {entry.value}"


def _apart(text: str) -> str:
    """A name that is read from right to left must not turn what follows it."""
    return f"{_ISOLATE}{text}{_POP}" if runs_leftwards(text) else text


def _table(table: Table) -> Iterable[str]:
    heading = ["Provider", *(column.title for column in table.columns)]
    rows = [heading, *([row.provider, *row.cells] for row in table.rows)]
    widths = [max(width_of(row[n]) for row in rows) for n in range(len(heading))]
    for n, row in enumerate(rows):
        cells = zip(row, widths, [False, *(column.is_figure for column in table.columns)], strict=True)
        yield "  ".join(_pad(cell, width, to_the_right=is_figure) for cell, width, is_figure in cells)
        if n == 0:
            yield "  ".join("-" * width for width in widths)


def _pad(text: str, width: int, *, to_the_right: bool) -> str:
    space = " " * (width - width_of(text))
    return space + text if to_the_right else _apart(text) + space
