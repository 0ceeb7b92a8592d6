"""Looking after calls that take longer than a moment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from litestar_app.answers import Answer
from litestar_app.errors import ClientLeft, TimedOut

if TYPE_CHECKING:
    from litestar.types import Receive

PATIENCE_SECONDS: Final = 0.2
"""How long a call runs before somebody looks whether its client is still there: most calls that
have no time to lose are over by then, and cost one timer and no task."""

GRACE_SECONDS: Final = 2.0
"""How long after the deadline the worker's own word about it is awaited."""


class Watch:
    """Ends an answer when its client has left or its time is over; `timeout` in seconds."""

    __slots__ = ("_answer", "_deadline", "_receive", "_task", "_timer")

    def __init__(self, answer: Answer, receive: Receive, timeout: float) -> None:
        loop = asyncio.get_running_loop()
        self._answer = answer
        self._receive = receive
        self._deadline = loop.time() + timeout + GRACE_SECONDS
        self._task: asyncio.Task[None] | None = None
        self._timer = loop.call_later(PATIENCE_SECONDS, self._begin)

    def end_in(self, left_ms: int | None) -> None:
        """Know the milliseconds that SQL leaves to the call, if they are over earlier."""
        if left_ms is not None:
            deadline = asyncio.get_running_loop().time() + max(left_ms, 0) / 1000 + GRACE_SECONDS
            if deadline < self._deadline:
                self._deadline = deadline
                if self._task is not None:
                    self._set_alarm()

    def close(self) -> None:
        """The call is over."""
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None  # or its error, its frame and this would hold each other, and the body

    def _begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._listen())
        self._set_alarm()

    def _set_alarm(self) -> None:
        self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(self._deadline, self._late)

    async def _listen(self) -> None:
        message: Any = None
        while message is None or message["type"] != "http.disconnect":
            message = await self._receive()
        self._answer.cancel(ClientLeft())

    def _late(self) -> None:
        self._answer.cancel(TimedOut())
