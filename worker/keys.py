"""Provider keys in the worker: read sealed, opened here, kept for a few seconds, shown to nobody."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, Protocol

from onevault.envelope import OpenError
from onevault.log import get_log
from onevault.tokens import Secret
from worker.calls import SealedKey

KEPT_SECONDS: Final = 5.0
_ACTIVE: Final = "ACTIVE"
_RESTING: Final = "RESTING"

_log = get_log("worker.keys")


class Opener(Protocol):
    """What opens a sealed secret (see `onevault.envelope.Keyring`)."""

    def open(self, blob: bytes, identity: bytes) -> bytes: ...


class ProviderKeys:
    """Opened provider keys by their hash key. A change in the vault is seen within `KEPT_SECONDS`."""

    def __init__(self, read: Callable[[bytes], Awaitable[SealedKey | None]], opener: Opener) -> None:
        self._read = read
        self._opener = opener
        self._kept: dict[str, tuple[float, Secret[str] | None]] = {}
        self._reading: dict[str, asyncio.Task[Secret[str] | None]] = {}

    def peek(self, key: str) -> tuple[bool, Secret[str] | None]:
        """Whether the key is known, and the key: without waiting."""
        kept = self._kept.get(key)
        if kept is None or asyncio.get_running_loop().time() > kept[0]:
            return False, None
        return True, kept[1]

    def forget(self, key: str) -> None:
        """The key was refused: look again what SQL says of it."""
        self._kept.pop(key, None)

    async def get(self, key: str) -> Secret[str] | None:
        """The key of this hash key (hex); None if there is none, it is not active or rests, or it does not open.

        Raises `worker.calls.DatabaseAway`. Callers of the same moment share one reading.
        """
        known, secret = self.peek(key)
        if known:
            return secret
        task = self._reading.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch(key))
            self._reading[key] = task
            task.add_done_callback(lambda _: self._reading.pop(key, None))
        return await asyncio.shield(task)

    async def read(self, key: str) -> Secret[str] | None:
        """The key as it is now, resting or not, and past the memory; None if it is not in force or does not open.

        Raises `worker.calls.DatabaseAway`.
        """
        self.forget(key)
        sealed = await self._read(bytes.fromhex(key))
        return None if sealed is None or sealed.status.upper() not in (_ACTIVE, _RESTING) else self._unseal(sealed)

    async def _fetch(self, key: str) -> Secret[str] | None:
        sealed = await self._read(bytes.fromhex(key))
        secret = self._open(sealed) if sealed is not None else None
        now = asyncio.get_running_loop().time()
        for name in [name for name, (until, _) in self._kept.items() if until < now]:
            del self._kept[name]
        self._kept[key] = (now + KEPT_SECONDS, secret)
        return secret

    def _open(self, sealed: SealedKey) -> Secret[str] | None:
        return self._unseal(sealed) if sealed.status.upper() == _ACTIVE else None

    def _unseal(self, sealed: SealedKey) -> Secret[str] | None:
        try:
            return Secret(self._opener.open(bytes(sealed.sealed), bytes(sealed.identity)).decode())
        except (OpenError, UnicodeDecodeError) as error:
            _log.error("provider_key_does_not_open", error)
            return None
