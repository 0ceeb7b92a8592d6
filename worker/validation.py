"""Asking providers whether they take a key that was just set. SQL says which are due and books what comes of it.

Whoever set it waits for the word, so it is asked for with the next tick of the clock; but no tick waits for a provider.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

import msgspec
import psycopg

from onevault.errors import unwind
from onevault.log import get_log
from onevault.tokens import Secret
from worker.calls import Calls, DatabaseAway, DueKey
from worker.keys import ProviderKeys
from worker.providers.base import Finding, Inquiry, Provider

PATIENCE_SECONDS: Final = 10.0

_log = get_log("worker.validation")


class KeyChecker:
    """Asks about the keys that are due; one task for each."""

    def __init__(self, calls: Calls, keys: ProviderKeys, providers: Mapping[str, Provider]) -> None:
        self._calls = calls
        self._keys = keys
        self._providers = providers
        self._tasks: set[asyncio.Task[None]] = set()

    async def tick(self) -> None:
        """Begin to ask about what is due. Raises `DatabaseAway` and `psycopg.Error`."""
        for due in await self._calls.take_due_keys():
            task = asyncio.get_running_loop().create_task(self._check(due))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ask no more; what was not said yet is due again."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _check(self, due: DueKey) -> None:
        try:
            secret = await self._keys.read(due.key)
            finding: Finding = "unreachable" if secret is None else await self._ask(due, secret)
            await self._calls.record_finding(due, finding)
        except (DatabaseAway, psycopg.Error) as error:
            _log.warning("key_validation_waits", error.__cause__ or error)

    async def _ask(self, due: DueKey, secret: Secret[str]) -> Finding:
        provider = self._providers.get(due.kind)
        if provider is None:
            return "unsupported"
        inquiry = Inquiry(due.endpoint, msgspec.Raw(due.settings.encode()), secret)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await provider.validate(inquiry)
        except TimeoutError:
            return "unreachable"
        except Exception as error:  # noqa: BLE001 - an adapter's surprise says nothing about the key
            _log.error("validation_broke", error)
            unwind(error)
            return "unreachable"
