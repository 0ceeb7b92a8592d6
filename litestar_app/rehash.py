"""While the master key is changed: a token that came in by an older digest gets the current one at once.

It happens beside the call that brought the token, in a statement of its own, and whether it may, SQL decides. A call
whose token is known by its current digest never comes here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from litestar_app.lane import DatabaseAway
from onevault.log import get_log

_AT_ONCE: Final = 2
_QUIET_SECONDS: Final = 15.0

_log = get_log("front.rehash")


class Rehasher:
    """Stores digests under the current pepper. `store`: (presented, current, key id) → done, gone or not_yet.

    Two at once and each token once; what finds no room is stored at its next use. When the master key is not announced
    yet, or the database is away, nothing is tried for a while.
    """

    def __init__(self, store: Callable[[bytes, bytes, str], Awaitable[str]], key_id: str | None) -> None:
        self._store = store
        self._key_id = key_id
        self._under_way: dict[bytes, asyncio.Task[None]] = {}
        self._quiet_until = 0.0

    def begin(self, presented: bytes, current: bytes) -> None:
        """Store `current` for the token that SQL has just known by `presented`; does not wait for it."""
        loop = asyncio.get_running_loop()
        if (
            self._key_id is None
            or presented in self._under_way
            or len(self._under_way) >= _AT_ONCE
            or loop.time() < self._quiet_until
        ):
            return
        self._under_way[presented] = loop.create_task(self._run(presented, current, self._key_id))

    async def close(self) -> None:
        """Let what is under way finish."""
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _run(self, presented: bytes, current: bytes, key_id: str) -> None:
        outcome = "not_yet"
        try:
            outcome = await self._store(presented, current, key_id)
        except DatabaseAway:
            pass  # it has been logged
        except Exception as error:  # noqa: BLE001 - the call has its answer; the token is stored another time
            _log.warning("rehash_failed", error)
        finally:
            if outcome == "not_yet":
                self._quiet_until = asyncio.get_running_loop().time() + _QUIET_SECONDS
            del self._under_way[presented]
