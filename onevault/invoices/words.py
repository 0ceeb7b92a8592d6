"""What people have named, made safe to be seen: a name may not hide, turn or interrupt what stands beside it."""

from __future__ import annotations

import unicodedata
from typing import Final

_REPLACED: Final = "\N{REPLACEMENT CHARACTER}"
# Joiners, which scripts and emoji need; all other characters of the class steer and are not seen.
_KEPT: Final = frozenset("\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}")
_SOFT: Final = "\N{SOFT HYPHEN}"
# Private, unassigned and steering characters, halves of pairs, separators of lines and paragraphs.
_UNSEEN: Final = frozenset(("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"))


def show(text: str) -> str:
    """A name on one line; what is not seen (controls, marks that turn the direction) gives way to a sign that is."""
    if text.isascii() and text.isprintable():
        return " ".join(text.split())
    return " ".join("".join(map(_show, text)).split())


def show_lines(text: str | None) -> list[str]:
    """A text of several lines; empty ones are left out."""
    return [shown for line in (text or "").splitlines() if (shown := show(line))]


def width_of(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(
        0 if unicodedata.combining(sign) or sign in _KEPT else 2 if unicodedata.east_asian_width(sign) in "WF" else 1
        for sign in text
    )


def runs_leftwards(text: str) -> bool:
    """Whether a text has letters of a script that is read from right to left."""
    return not text.isascii() and any(unicodedata.bidirectional(sign) in ("R", "AL", "AN") for sign in text)


def _show(sign: str) -> str:
    if sign.isspace():
        return " "
    if sign == _SOFT:
        return ""
    return _REPLACED if sign not in _KEPT and unicodedata.category(sign) in _UNSEEN else sign
