"""Hands usage over: batches of events off their queue, each to its export's target, under its key."""

from __future__ import annotations

import asyncio
import ipaddress
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from onevault import __version__
from onevault.envelope import OpenError
from onevault.log import get_log
from worker.calls import Calls, DueBatch
from worker.courier import Courier
from worker.egress import Egress
from worker.keys import Opener
from worker.post import Answer, Poster, check_ca_file
from worker.targets import HELD_BACK, TARGET_DOWN, Call, UsageEvent, make_calls, read_answer

BATCHES_AT_ONCE: Final = 32
HOLD_SECONDS: Final = 60
TRY_SECONDS: Final = 15.0
SEND_SECONDS: Final = 30.0
"""Of a batch that takes several calls, none begins later than this."""

# Whoever sets up an export is the operator, whose own network may hold its target.
_ANYWHERE: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_MOST_READ: Final = 1 << 20
_MEANS_ALL: Final = (401, 403, 408, 409, 425, 429)

_log = get_log("worker.exports")


class Told(NamedTuple):
    """What SQL is to know of one event."""

    msg_id: int
    read_ct: int
    http_status: int | None
    error_class: str | None
    latency_ms: int
    retry_after_ms: int | None = None


class ExportCourier(Courier[DueBatch]):
    """Brings usage to the targets of exports. Close it by `finish`."""

    def __init__(self, calls: Calls, opener: Opener, ca_file: Path | None = None) -> None:
        super().__init__(BATCHES_AT_ONCE, HOLD_SECONDS, TRY_SECONDS)
        self._calls = calls
        self._opener = opener
        self._ca_file = ca_file
        check_ca_file(ca_file)
        self._egress = Egress(_ANYWHERE)
        self._posters: dict[str, Poster] = {}

    async def _take(self, limit: int) -> list[DueBatch]:
        return await self._calls.read_usage_events(limit, HOLD_SECONDS)

    async def _deliver(self, due: DueBatch) -> None:
        until = self._hold_ends()
        events = msgspec.convert(due.events, list[UsageEvent])
        try:
            key = self._opener.open(bytes(due.key_encrypted), bytes(due.identity))
        except OpenError as error:
            _log.error("export_key_does_not_open", error)
            told = [_tell(event, Answer(None, "key_does_not_open", 0)) for event in events]
        else:
            told = await self._send(due, key, events)
        await self._book(lambda: self._calls.record_usage_events([one._asdict() for one in told]), until)

    async def _close(self) -> None:
        self._egress.close()
        for poster in self._posters.values():
            await poster.close()

    async def _send(self, due: DueBatch, key: bytes, events: list[UsageEvent]) -> list[Told]:
        told: list[Told] = []
        begun = asyncio.get_running_loop().time()
        calls = make_calls(due.kind, due.event_name, events)
        for place, call in enumerate(calls):
            answer, said = await self._post(due, key, call)
            told += [_tell(event, answer, word) for event, word in zip(call.events, said, strict=True)]
            rest = [event for later in calls[place + 1 :] for event in later.events]
            if _is_down(answer):
                return told + [_tell(event, Answer(None, TARGET_DOWN, 0, answer.retry_after_ms)) for event in rest]
            if asyncio.get_running_loop().time() - begun > SEND_SECONDS:
                return told + [_tell(event, Answer(None, HELD_BACK, 0)) for event in rest]
        return told

    async def _post(self, due: DueBatch, key: bytes, call: Call) -> tuple[Answer, list[str | None]]:
        headers = {
            "authorization": f"Bearer {key.decode('ascii')}",
            "user-agent": f"onevault-exports/{__version__}",
            **call.headers,
        }
        answer = await self._poster(due.endpoint).post(due.endpoint + call.path, headers, call.body, TRY_SECONDS)
        if answer.http_status is None:
            return answer, [None] * len(call.events)
        return answer, read_answer(due.kind, call, answer.http_status, answer.body)

    def _poster(self, endpoint: str) -> Poster:
        """One for each target: connections are kept, and no two share them."""
        if endpoint not in self._posters:
            self._posters[endpoint] = Poster(
                self._egress, self._ca_file, keeps_connections=True, allows_http_here=True, reads=_MOST_READ
            )
        return self._posters[endpoint]


def _is_down(answer: Answer) -> bool:
    """Whether the next event would fare no better: neither taken nor refused for what it is."""
    status = answer.http_status
    return status is None or status in _MEANS_ALL or not (200 <= status < 300 or 400 <= status < 500)


def _tell(event: UsageEvent, answer: Answer, said: str | None = None) -> Told:
    return Told(
        event.msg_id,
        event.read_ct,
        answer.http_status,
        said or answer.error_class,
        answer.latency_ms,
        answer.retry_after_ms,
    )
