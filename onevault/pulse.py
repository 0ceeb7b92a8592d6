"""Finds out that the peer of a network link is gone although nothing says so.

A process that dies is told by its kernel, a machine that loses its power by nobody. So both ends of a link over TCP
send a `Ping` every few seconds, and whoever hears nothing at all for some beats hangs up. Beats are counted, not
seconds: a loop that was held up itself finds what has arrived meanwhile before it gives up on anybody.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

BEAT_SECONDS: Final = 3.0
SILENT_BEATS: Final = 3
"""So many beats without a byte are borne: a dead peer is noticed 9 to 12 seconds after its last one."""


class Pulse:
    """Beats from its making until `stop`: calls `beat` each time, or `on_silence` once, which must end the link."""

    def __init__(self, beat: Callable[[], None], on_silence: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._beat = beat
        self._on_silence = on_silence
        self._silent = 0
        self._timer = self._loop.call_later(BEAT_SECONDS, self._tick)

    def heard(self) -> None:
        """Something has come from the peer."""
        self._silent = 0

    def stop(self) -> None:
        """The link is over."""
        self._timer.cancel()

    def _tick(self) -> None:
        self._silent += 1
        if self._silent > SILENT_BEATS:
            self._on_silence()
            return
        self._timer = self._loop.call_later(BEAT_SECONDS, self._tick)
        self._beat()
