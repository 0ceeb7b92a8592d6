"""What one answer has said and used so far, kept in its attempt whatever ends the call."""

from __future__ import annotations

import re
from typing import Final

from worker.providers.usage import keep_numbers
from worker.shapes import Attempt, Usage

FINISH_REASONS: Final = frozenset(("stop", "length", "tool_calls", "content_filter", "function_call"))
_TIER: Final = re.compile(r"[a-z][a-z0-9_]{0,19}")


def _is_nothing(usage: Usage) -> bool:
    return not (usage.input_uncached or usage.cache_read or usage.cache_write or usage.output or usage.other)


class Tally:
    """The count of one answer. Usage may be told more than once: the last that says anything is the one that counts,
    and nothing but zeros says nothing after something."""

    def __init__(self, attempt: Attempt) -> None:
        self.attempt = attempt
        self._bytes_at_usage = 0

    def say(self, size: int) -> None:
        """So many more bytes of text, in UTF-8, are in the answer."""
        self.attempt.output_bytes += size

    def use(self, usage: Usage | None, said: dict[str, object], *, ahead: int = 0) -> None:
        """The provider has told what it used by now, `ahead` bytes of text included that are yet to be counted."""
        if usage is None or (_is_nothing(usage) and self.attempt.usage is not None):
            return
        self.attempt.usage = usage
        self.attempt.usage_source = "provider_partial"
        self.attempt.raw_usage = keep_numbers(said)
        self._bytes_at_usage = self.attempt.output_bytes + ahead

    def serve(self, tier: str | None) -> None:
        """The provider has told the service tier by which it serves, and charges; "default" is the standard one."""
        if tier is not None and tier != "auto" and _TIER.fullmatch(tier):
            self.attempt.service_tier = "standard" if tier == "default" else tier

    def finish(self, reason: str) -> None:
        """Why the answer ended, in a word of OpenAI's list; "other" for words of the provider's own."""
        self.attempt.finish_reason = reason if reason in FINISH_REASONS else "other"

    def complete(self) -> None:
        """The answer is whole: what it was said to use is final."""
        if self.attempt.usage is not None:
            self.attempt.usage_source = "provider_final"

    def tell_rest(self) -> None:
        """Usage that was told before the last words lacks them. How many bytes they are is told; SQL says the rest."""
        said = self.attempt.output_bytes - self._bytes_at_usage
        if self.attempt.usage is not None and said > 0:
            self.attempt.untold_bytes = said
