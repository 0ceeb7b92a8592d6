"""How the tests read what was rendered."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser

from pypdf import PdfReader

# Elements that have no end tag.
_VOID = {"meta", "br"}
# Figures with their sign and currency.
_FIGURE = re.compile(r"(?:[−-])?(?:[$€£¥]|[A-Z]{3}\N{NO-BREAK SPACE})?\d[\d,]*(?:\.\d+)?")


class Page(HTMLParser):
    """The elements of an HTML page in their order, its text without the style, and what was left open."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.style = ""
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert not self._open

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.elements]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self._open.append(tag)
        elif tag == "br":
            self.text += "\n"

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in ("td", "th", "dt", "dd", "div", "p", "h1", "h2"):
            self.text += "\n"

    def handle_data(self, data: str) -> None:
        if "style" in self._open:
            self.style += data
        else:
            self.text += data


def read_pdf(pdf: bytes) -> PdfReader:
    return PdfReader(io.BytesIO(pdf), strict=False)


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, as it would be copied from it."""
    return [page.extract_text() for page in read_pdf(pdf).pages]


def figures_of(text: str) -> set[str]:
    """All figures in a text, written with a hyphen for a minus."""
    return {found.replace("−", "-") for found in _FIGURE.findall(text)}


def squeeze(text: str) -> str:
    """A text without any white space: where lines break does not matter."""
    return "".join(text.split())
