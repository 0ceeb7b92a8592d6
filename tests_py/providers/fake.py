"""A provider that speaks OpenAI's chat format, politely or not.

    with FakeProvider() as fake:
        endpoint = fake.endpoint("cut-stream")      # http://127.0.0.1:…/cut-stream/v1

How it behaves is part of the endpoint, so that one server plays all the candidates of a request. `BEHAVIOURS` lists
what it can do; a number after a name is its argument ("slow-300"). `tests_py.providers.stage` has the fakes of the
other formats.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests_py.providers import wire
from tests_py.providers.behaviours import ANSWERS_QUESTIONS, BEHAVIOURS
from tests_py.providers.server import FakeServer, Seen, Step


@dataclass
class FakeProvider(FakeServer):
    """The server; a context manager. It answers `text` and says that it used `usage`."""

    base: ClassVar[str] = "/v1"

    text: str = "Hello there, how can I help you today?"
    usage: dict[str, Any] = field(default_factory=wire.usage)

    def steps(self, seen: Seen) -> AsyncIterator[Step]:
        name, _, argument = seen.behaviour.rpartition("-")
        if argument.isdigit() and name in BEHAVIOURS:
            make = BEHAVIOURS[name]
        else:
            name, make, argument = seen.behaviour, BEHAVIOURS[seen.behaviour], "0"
        if seen.is_question and name not in ANSWERS_QUESTIONS:
            make = BEHAVIOURS["ok"]
        return make(self, seen, int(argument))
