"""What this worker knows about fronts of other machines beside its links: whom it misses, who is dead, whether it is
itself the one that is cut off.

Every reading of a message counts, and the fifth in vain buries it. So a worker that reaches no front at all, because of
its network or its certificate, must not go on reading what others could serve: it reads one message now and then, to
learn whether that has changed, until a dial succeeds or a front proves to be dead.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

REFUSED_SECONDS: Final = 3.0
"""A port that refuses for so long, at two dials or more, is that of a front that has died."""

MISSED_SECONDS: Final = 600.0
"""How long a front whose link broke is dialled again without being asked for."""

_MOST_BURIED: Final = 1000
_FIRST_PAUSE_SECONDS: Final = 2.0
_LONGEST_PAUSE_SECONDS: Final = 10.0


class Reach:
    """Fed with the outcome of every dial; all times are the loop's."""

    def __init__(self) -> None:
        self._buried: OrderedDict[str, None] = OrderedDict()
        self._missed: dict[str, float] = {}
        self._refused_since: dict[str, float] = {}
        self._pause = 0.0
        self._next_reading = 0.0

    def is_dead(self, address: str) -> bool:
        """Whether this front process is known to have ended: it never comes back."""
        return address in self._buried

    def missed(self, now: float) -> Iterator[str]:
        """Fronts to which a link stood not long ago."""
        for address, until in tuple(self._missed.items()):
            if now < until:
                yield address
            else:
                del self._missed[address]

    def succeeded(self, address: str, now: float) -> None:
        """A link stands."""
        self._missed.pop(address, None)
        self._refused_since.pop(address, None)
        self._pause = 0.0

    def lost(self, address: str, now: float) -> None:
        """A link has broken."""
        if not self.is_dead(address):
            self._missed[address] = now + MISSED_SECONDS

    def failed(self, address: str, now: float, *, refused: bool) -> bool:
        """A front could not be dialled. True if that proves it dead."""
        if not refused:
            self._refused_since.pop(address, None)
        elif now - self._refused_since.setdefault(address, now) >= REFUSED_SECONDS:
            self.bury(address)
            return True
        if not self._pause:
            self._pause = _FIRST_PAUSE_SECONDS
            self._next_reading = now + self._pause
        return False

    def bury(self, address: str) -> None:
        """This front process has ended."""
        self._pause = 0.0
        self._missed.pop(address, None)
        self._refused_since.pop(address, None)
        self._buried[address] = None
        if len(self._buried) > _MOST_BURIED:
            self._buried.popitem(last=False)

    def allowance(self, wanted: int, *, linked: bool) -> int:
        """How many messages may be read now; `linked` says whether any link stands."""
        if linked or not self._pause:
            return wanted
        now = asyncio.get_running_loop().time()
        if now < self._next_reading:
            return 0
        self._pause = min(self._pause * 2, _LONGEST_PAUSE_SECONDS)
        self._next_reading = now + self._pause
        return min(wanted, 1)
