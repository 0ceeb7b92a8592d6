"""An invoice as PDF: A4, tagged, PDF/A-2a and PDF/UA-1; the same document gives the same bytes.

Fonts come with the compiler (Latin, Greek, Cyrillic, Hebrew, Arabic, Armenian, Georgian, Devanagari and more). Only a
name in another script makes it look among those of the system; what no font has becomes a box, and the page says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any, Final

import msgspec

from onevault.invoices.document import Document
from onevault.invoices.view import HOUSE, view_of

Told = dict[str, Any]

_STANDARDS: Final[Any] = ["a-2a", "ua-1"]
_BOX: Final = "\N{WHITE VERTICAL RECTANGLE}"
# Compiles exactly when the fonts at hand can draw what it is given, in each weight that the template uses.
_PROBE: Final = b"""
#set document(title: "probe")
#set text(font: ("Libertinus Serif", "New Computer Modern", "DejaVu Sans Mono"), lang: "en")
#for weight in ("regular", "semibold", "bold") { par(text(weight: weight, sys.inputs.invoice)) }
"""


def render(document: Document) -> bytes:
    """The invoice as PDF."""
    from typst import TypstError

    told = _tell(document)
    texts = sorted({text for text in _texts(told) if not text.isascii()})
    # Sign by sign: beside a mark that can be drawn, one that cannot is not missed by the compiler.
    signs = sorted({sign for text in texts for sign in text if not sign.isascii()})
    press = _Press(document, has_system_fonts=False)
    if missing := list(press.undrawable(signs)):
        press = _Press(document, has_system_fonts=True)
        missing = list(press.undrawable(missing))
    boxes = str.maketrans(dict.fromkeys(missing, _BOX))
    boxed = {text: text.translate(boxes) for text in texts} if missing else {}
    try:
        return press.print(_box(told, boxed))
    except TypstError:
        # Each sign has a font, and some of them no font together: a mark over a sign of another script.
        odd = [text for text in texts if not press.can_draw(boxed.get(text, text))]
        if not odd:
            raise
    boxed |= {text: "".join(sign if sign.isascii() else _BOX for sign in text) for text in odd}
    return press.print(_box(told, boxed))


class _Press:
    """A compiler with its fonts, and the moment that its PDFs bear."""

    def __init__(self, document: Document, *, has_system_fonts: bool) -> None:
        import typst

        self._failure = typst.TypstError
        self._moment = document.moment.replace(microsecond=0)
        self._compiler = typst.Compiler(ignore_system_fonts=not has_system_fonts)

    def print(self, told: Told) -> bytes:
        return self._compile(_template(), msgspec.json.encode(told).decode())

    def undrawable(self, signs: list[str]) -> Iterator[str]:
        """Those of some signs that no font has; found by halves."""
        if not signs or self.can_draw("\n\n".join(signs)):
            return
        if len(signs) == 1:
            yield signs[0]
            return
        middle = len(signs) // 2
        yield from self.undrawable(signs[:middle])
        yield from self.undrawable(signs[middle:])

    def can_draw(self, text: str) -> bool:
        try:
            self._compile(_PROBE, text)
        except self._failure:
            return False
        return True

    def _compile(self, source: bytes, text: str) -> bytes:
        made = self._compiler.compile(
            source,
            format="pdf",
            sys_inputs={"invoice": text},
            pdf_standards=_STANDARDS,
            timestamp=self._moment,
        )
        assert isinstance(made, bytes)
        return made


@cache
def _template() -> bytes:
    return files(__package__).joinpath("invoice.typ").read_bytes()


def _tell(document: Document) -> Told:
    """The view as plain data, with what only pages have: lines above and below, and who made it."""
    view = view_of(document)
    told: Told = msgspec.to_builtins(view)
    seller = view.seller[0] if view.seller else HOUSE
    told["house"], told["author"], told["footer"] = HOUSE, seller, seller
    told["heading"] = view.title.removeprefix(f"{HOUSE} - ")
    told["keywords"] = [fact.value for fact in view.facts if fact.label in ("Invoice", "Credit note", "Refers to")]
    return told


def _texts(value: Any) -> Iterator[str]:
    """All texts in plain data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _box(told: Told, boxed: dict[str, str]) -> Told:
    """What is told, with boxes in some texts and a sentence about them; who made it is not drawn and keeps his name."""
    if not boxed:
        return told
    found: Told = _replace(told, boxed)
    found["details"].append({"label": f"{_BOX} in a name", "value": "A sign that no font here can draw."})
    return found | {"author": told["author"]}


def _replace(value: Any, texts: dict[str, str]) -> Any:
    """Plain data with other texts in the place of some."""
    if isinstance(value, dict):
        return {name: _replace(part, texts) for name, part in value.items()}
    if isinstance(value, list):
        return [_replace(part, texts) for part in value]
    return texts.get(value, value) if isinstance(value, str) else value
