"""How many tokens a request has, where its provider cannot be asked: estimated as the books do, four bytes a token."""

from __future__ import annotations

from typing import Final

import msgspec

from worker.providers.base import Call, Output, text_bytes
from worker.providers.listening import PlainListener
from worker.shapes import Attempt, Usage

_SAID: Final = ("system", "messages", "tools", "prompt", "instructions", "input")


def estimate_tokens(call: Call) -> int:
    """Input tokens of a call, by the bytes of its text."""
    said = [msgspec.json.decode(call.fields[name]) for name in _SAID if name in call.fields]
    return (text_bytes(said) + 3) // 4


async def estimate_count(call: Call, attempt: Attempt, output: Output) -> None:
    """Answer a count with an estimate. Nothing was used for it."""
    output.alive()
    attempt.http_status = 200
    attempt.finish_reason = "stop"
    free_of_charge(attempt)
    await output.send(write_count(estimate_tokens(call)))


class CountListener(PlainListener):
    """Listens to a count in the format of Anthropic's `count_tokens`."""

    def answer(self, body: bytes) -> bytes:
        """See `Listener`."""
        self.tally.finish("stop")
        free_of_charge(self.tally.attempt)
        return body


def free_of_charge(attempt: Attempt) -> None:
    """Providers count for nothing."""
    attempt.usage = Usage(input_uncached=0, output=0)
    attempt.usage_source = "provider_final"


def write_count(tokens: int) -> bytes:
    """A count in the format of Anthropic's `count_tokens`."""
    return msgspec.json.encode({"input_tokens": tokens})
