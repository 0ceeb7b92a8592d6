"""An invoice as one HTML file: no script, nothing fetched, for a screen, a phone and paper."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from html import escape
from importlib.resources import files

from onevault.invoices.document import Document
from onevault.invoices.view import HOUSE, Block, Entry, Row, Table, View, view_of


def render(document: Document) -> str:
    """The invoice as an HTML document."""
    view = view_of(document)
    return "\n".join((*_head(view), *_body(view), "</html>", ""))


@cache
def _style() -> str:
    return files(__package__).joinpath("invoice.css").read_text()


def _head(view: View) -> Iterable[str]:
    yield f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="default-src 'none'; style-src 'unsafe-inline'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{escape(view.title)}: {escape(view.name)}</title>
<style>
{_style()}</style>
</head>"""


def _body(view: View) -> Iterable[str]:
    yield "<body>\n<main>\n<header>"
    yield f'<p class="house">{escape(HOUSE)}</p>'
    yield f"<h1>{escape(view.title.removeprefix(f'{HOUSE} - '))}</h1>\n</header>"
    if view.mark is not None:
        kind = "warning" if view.mark.is_warning else "settled"
        yield f'<p class="mark {kind}"><strong>{escape(view.mark.word)}</strong> {escape(view.mark.meaning)}</p>'
    yield '<section class="parties" aria-label="Seller, buyer and dates">'
    yield from _party("From", view.seller)
    yield from _party("To", view.buyer)
    yield f'<dl class="facts">\n{_entries(view.facts)}\n</dl>\n</section>'
    yield from _sums(view)
    if view.payment:
        yield '<section class="payment">\n<h2>How to pay</h2>'
        yield f"<p>{'<br>'.join(map(_apart, view.payment))}</p>\n</section>"
    if view.table is not None:
        yield from _table(view.table)
    yield f'<section class="details">\n<h2>Details</h2>\n<dl>\n{_entries(view.details)}\n</dl>\n</section>'
    yield "</main>\n</body>"


def _party(title: str, lines: list[str]) -> Iterable[str]:
    if lines:
        name, *rest = map(_apart, lines)
        yield f"<div>\n<h2>{title}</h2>\n<address><strong>{name}</strong>{''.join(f'<br>{line}' for line in rest)}"
        yield "</address>\n</div>"


def _entries(entries: list[Entry]) -> str:
    return "\n".join(f"<div><dt>{_apart(entry.label)}</dt><dd>{_apart(entry.value)}</dd></div>" for entry in entries)


def _sums(view: View) -> Iterable[str]:
    yield '<table class="sums">\n<caption>What is charged</caption>'
    yield '<thead class="unseen"><tr><th scope="col">Item</th><th scope="col">Amount</th></tr></thead>'
    for block in view.blocks:
        yield from _block(block)
    yield "<tbody>"
    yield from (_sum(entry, "") for entry in view.sums)
    yield _sum(view.total, "total")
    yield from (_sum(entry, "") for entry in view.settled)
    if view.due is not None:
        yield _sum(view.due, "due")
    yield "</tbody>\n</table>"


def _block(block: Block) -> Iterable[str]:
    yield f'<tbody>\n<tr><th scope="rowgroup" colspan="2">{escape(block.title)}</th></tr>'
    for entry in block.entries:
        yield _sum(entry, "part" if entry.is_part else "item")
    yield "</tbody>"


def _sum(entry: Entry, kind: str) -> str:
    row = f'<tr class="{kind}">' if kind else "<tr>"
    return f'{row}<th scope="row">{_apart(entry.label)}</th><td>{escape(entry.value)}</td></tr>'


def _table(table: Table) -> Iterable[str]:
    yield f'<section class="usage">\n<h2 id="usage">{escape(table.title)}</h2>'
    yield '<div class="wide" role="region" aria-labelledby="usage" tabindex="0">\n<table>\n<thead>'
    heading = "".join(f'<th scope="col">{escape(column.title)}</th>' for column in table.columns)
    yield f"<tr>{heading}</tr>\n</thead>"
    provider = None
    for row in table.rows:
        if row.provider != provider:
            yield from _provider(row, len(table.columns), is_first=provider is None)
            provider = row.provider
        model, *figures = row.cells
        cells = "".join(f"<td>{escape(figure)}</td>" for figure in figures)
        yield f'<tr><th scope="row">{_apart(model)}</th>{cells}</tr>'
    yield "</tbody>\n</table>\n</div>\n</section>"


def _provider(row: Row, columns: int, *, is_first: bool) -> Iterable[str]:
    yield "<tbody>" if is_first else "</tbody>\n<tbody>"
    if row.provider:
        yield f'<tr class="provider"><th scope="rowgroup" colspan="{columns}">{_apart(row.provider)}</th></tr>'


def _apart(text: str) -> str:
    """A name, with its own direction of reading and no way to turn what follows."""
    return escape(text) if text.isascii() else f"<bdi>{escape(text)}</bdi>"
