"""Words that can be found again anywhere: each is said once, and all share a mark that stands nowhere else.

A canary is the mark of this run and a number of its own. Two marks: `content` may be nowhere at all; `words` are those
that a customer chooses and SQL decides by (an unknown model, metadata, the agent under policy NONE), which are the
parameters of a statement and kept nowhere.
"""

from __future__ import annotations

import base64
import itertools
import mmap
import re
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

Kind = Literal["content", "words"]


class Canaries:
    """Makes canaries and finds them."""

    def __init__(self) -> None:
        self._marks: dict[Kind, str] = {kind: f"cnry{secrets.token_hex(6)}" for kind in ("content", "words")}
        self._secrets: list[str] = []
        self._numbers = itertools.count(1)
        self.made = 0

    def make(self, kind: Kind = "content") -> str:
        """One more canary."""
        self.made += 1
        return f"{self._marks[kind]}x{next(self._numbers):06d}"

    def remember(self, secret: str) -> str:
        """A secret that is not ours to choose, such as a token, to be looked for as well."""
        self._secrets.append(secret)
        self.made += 1
        return secret

    def pattern(self, *kinds: Kind) -> re.Pattern[bytes]:
        """What finds canaries of these kinds and every secret: as they are, in hexadecimal and in base64."""
        forms: set[bytes] = {secret.encode() for secret in self._secrets} if "content" in kinds else set()
        for kind in kinds:
            mark = self._marks[kind].encode()
            forms |= {mark, mark.hex().encode(), mark.decode().encode("utf-16-le")}
            forms |= {_base64(mark, shift) for shift in range(3)}
        return re.compile(b"|".join(re.escape(form) for form in sorted(forms)))


def find_in_files(directories: Iterable[Path], pattern: re.Pattern[bytes]) -> Iterator[tuple[Path, bytes]]:
    """Files that hold what the pattern finds, or are named so."""
    for directory in directories:
        for path in (found for found in directory.rglob("*") if found.is_file()):
            if hit := pattern.search(str(path).encode()):
                yield path, hit[0]
            elif words := _search(path, pattern):
                yield path, words


def _search(path: Path, pattern: re.Pattern[bytes]) -> bytes | None:
    try:
        if not path.stat().st_size:
            return None
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            hit = pattern.search(content)
            return hit[0] + b" in " + bytes(content[max(hit.start() - 80, 0) : hit.end() + 80]) if hit else None
    except FileNotFoundError:
        return None


def _base64(mark: bytes, shift: int) -> bytes:
    """The part of the mark's base64 that does not depend on what stands around it."""
    text = base64.b64encode(b"\0" * shift + mark)
    return text[(shift * 8 + 5) // 6 : len(mark) * 8 // 6]
