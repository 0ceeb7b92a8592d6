"""What one front lets in: bounds of its own memory and patience, looked at before SQL is asked.

Whether the gateway has room is for SQL to decide (gateway.fn_refuse_backlog); this is about the process: calls in
flight, bytes of bodies that wait for a worker, bytes of answers that wait for slow customers, and calls that SQL has
not got round to deciding. Beyond a bound a call is refused at once with 503, which costs next to nothing.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from litestar_app.errors import Overloaded
from onevault.log import get_log
from onevault.settings import Settings

PATIENCE_SECONDS: Final = 1.0
"""How long calls may have waited for a decision before new ones are refused."""

_LOG_SECONDS: Final = 5.0

_log = get_log("front.admission")


class Bounds(NamedTuple):
    """The most calls, bytes of bodies and bytes of answers that a front holds at once."""

    calls: int
    body_bytes: int
    answer_bytes: int


class Admission:
    """The books of what a front holds, and the door."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.calls = 0
        self.body_bytes = 0
        self.answer_bytes = 0
        self._said = -_LOG_SECONDS

    @classmethod
    def of(cls, settings: Settings) -> Admission:
        """Bounds as the settings have them."""
        return cls(Bounds(settings.front_calls, settings.front_body_bytes, settings.front_answer_bytes))

    @property
    def tight(self) -> bool:
        """Whether answers have filled half their room: streams pause early, and no new call comes in."""
        return self.answer_bytes * 2 > self.bounds.answer_bytes

    def enter(self, undecided_seconds: float, now: float) -> Load:
        """Let a call in. undecided_seconds: how long the oldest undecided call waits. Raises `Overloaded`."""
        if self.calls >= self.bounds.calls:
            self._refuse("calls", now)
        if self.tight:
            self._refuse("answers", now)
        if undecided_seconds > PATIENCE_SECONDS:
            self._refuse("decisions", now)
        return Load(self)

    def _refuse(self, bound: str, now: float) -> None:
        if now - self._said >= _LOG_SECONDS:
            self._said = now
            _log.warning("calls_refused", reason=bound, running=self.calls, bytes=self.answer_bytes)
        raise Overloaded


class Load:
    """What one call has in the books, from its body's first byte to the last of its answer."""

    __slots__ = ("_admission", "_answer", "_body", "_open")

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._body = 0
        self._answer = 0
        self._open = True
        admission.calls += 1

    def add_body(self, size: int) -> None:
        """More of the body is here. Raises `Overloaded` when there is no room for it."""
        admission = self._admission
        if admission.body_bytes + size > admission.bounds.body_bytes:
            raise Overloaded
        admission.body_bytes += size
        self._body += size

    def drop_body(self) -> None:
        """The body is no longer held."""
        self._admission.body_bytes -= self._body
        self._body = 0

    def add_answer(self, size: int) -> bool:
        """More of the answer is here; False when the front has no room for it, or nobody waits for it."""
        if not self._open:
            return False
        admission = self._admission
        admission.answer_bytes += size
        self._answer += size
        return admission.answer_bytes <= admission.bounds.answer_bytes

    def keep_answer(self, size: int) -> None:
        """The customer's connection has taken what was here of the answer, but for `size` bytes."""
        self._admission.answer_bytes += size - self._answer
        self._answer = size

    @property
    def tight(self) -> bool:
        """Whether the front has little room left for answers."""
        return self._admission.tight

    def close(self) -> None:
        """The call is over."""
        self.drop_body()
        self.keep_answer(0)
        self._open = False
        self._admission.calls -= 1
