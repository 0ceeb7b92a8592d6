"""What a fake says and how it misbehaves, as data that each format puts into its own words.

`SCENARIOS` has those that endpoints may name; "cut-after-3" is the one named "cut-after" with the number 3.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

WORDS = ("Hello", " there, how", " is Zürich 🚂", " today?")
TEXT = "".join(WORDS)

Form = Literal["own", "lf", "crlf", "comments", "bytewise", "in-one"]


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool: its arguments as the pieces of JSON in which a stream brings them."""

    name: str = "get_weather"
    arguments: tuple[str, ...] = ('{"ci', 'ty":"Zü', 'rich"', "}")
    id: str = ""
    """Empty: an id as the format makes them."""

    def parsed(self) -> Any:
        """The arguments as JSON; {} if they are none, or broken off."""
        try:
            return json.loads("".join(self.arguments) or "{}")
        except ValueError:
            return {}


@dataclass(frozen=True)
class Scenario:
    """One answer. Counts of events leave out what is no event: heads and comments."""

    # What to say
    pieces: tuple[str, ...] = WORDS
    thinking: tuple[str, ...] = ()
    signature: str = "EqQBCgIYAhIMc2lnbmF0dXJl"
    """Of the thinking, in formats that sign it; base64."""
    blocks: tuple[dict[str, Any], ...] = ()
    """Blocks, parts or items in the format's own words, that come whole and before the text."""
    calls: tuple[ToolCall, ...] = ()
    citations: tuple[dict[str, Any], ...] = ()
    """In the format's own words."""
    image: bool = False
    ends: str = ""
    """Why: "length", "refusal", "blocked", "failed", or a word of the format itself; empty: what fits."""
    details: dict[str, Any] | None = None
    """What the format says beside the reason."""

    # What it cost
    usage: dict[str, Any] | None = None
    """In the format's own words; None: the format's `usage()`."""
    tier: str = ""
    """The service tier that it says it served by, in formats that say it beside the usage."""
    usage_on: Literal["own", "never", "every"] = "own"
    """Where the format has it, nowhere, or on every event that can bear it."""

    # How to misbehave
    wait: float = 0.0
    """Seconds before the first byte."""
    refuse: int | None = None
    """A status."""
    code: str = ""
    """What the format calls the error; empty: what fits the status."""
    error: dict[str, Any] | None = None
    """What to add to the error's object."""
    headers: tuple[str, ...] = ()
    """Lines to add to the response's head."""
    cut_head: bool = False
    """Hang up without a word."""
    cut_after: int | None = None
    """Hang up after so many events; a plain answer is cut in its middle."""
    cut_inside: bool = False
    """With `cut_after`: half of the next event still goes out."""
    end_after: int | None = None
    """End the body properly after so many events."""
    stall_after: int | None = None
    """Fall silent after so many events; a plain answer never comes."""
    error_after: int | None = None
    """Say an error after so many events, inside the 200; a plain answer is the error's object."""
    garble_after: int | None = None
    """One byte of the event after so many is another: no JSON any more, and no frame whose sum is right."""
    only_comments: bool = False
    form: Form = "own"


SCENARIOS: dict[str, Scenario] = {
    "ok": Scenario(),
    "short": Scenario(pieces=("Yes.",)),
    "empty": Scenario(pieces=()),
    "thinking": Scenario(thinking=("Let me", " think.")),
    "tools": Scenario(pieces=(), calls=(ToolCall(),)),
    "text-and-tools": Scenario(calls=(ToolCall(), ToolCall("get_time", ('{"zone": "Europe/Zurich"}',)))),
    "thinking-tools": Scenario(pieces=(), thinking=("Let me", " look."), calls=(ToolCall(),)),
    "empty-arguments": Scenario(pieces=(), calls=(ToolCall(arguments=()),)),
    "broken-arguments": Scenario(pieces=(), calls=(ToolCall(arguments=('{"city":', ' "Zü')),)),
    "image": Scenario(image=True),
    "length": Scenario(ends="length"),
    "refusal": Scenario(ends="refusal"),
    "blocked": Scenario(pieces=(), ends="blocked"),
    "failed": Scenario(ends="failed"),
    "no-usage": Scenario(usage_on="never"),
    "usage-every-chunk": Scenario(usage_on="every"),
    "lf": Scenario(form="lf"),
    "crlf": Scenario(form="crlf"),
    "comments": Scenario(form="comments"),
    "bytewise": Scenario(form="bytewise"),
    "in-one": Scenario(form="in-one"),
    "only-comments": Scenario(only_comments=True),
    "hang": Scenario(wait=-1),
    "cut-head": Scenario(cut_head=True),
    "error-in-200": Scenario(error_after=0),
}

NUMBERED: dict[str, Callable[[int], Scenario]] = {
    "slow": lambda number: Scenario(wait=number / 1000),
    "status": lambda number: Scenario(refuse=number, headers=("retry-after: 2",) if number in (429, 503, 529) else ()),
    "cut-after": lambda number: Scenario(cut_after=number),
    "cut-inside": lambda number: Scenario(cut_after=number, cut_inside=True),
    "end-after": lambda number: Scenario(end_after=number),
    "hang-after": lambda number: Scenario(stall_after=number),
    "garbled-after": lambda number: Scenario(garble_after=number),
    "error-after": lambda number: Scenario(error_after=number),
}


@dataclass
class Book:
    """The scenarios of one fake: the common ones, those of its format, and those that tests add."""

    own: dict[str, Scenario] = field(default_factory=dict)

    def add(self, scenario: Scenario) -> str:
        """A name for a scenario."""
        name = f"scenario{len(self.own)}"
        self.own[name] = scenario
        return name

    def find(self, name: str) -> Scenario:
        """The scenario of a name. Raises KeyError."""
        start, _, number = name.rpartition("-")
        if number.isdigit() and start in NUMBERED:
            return NUMBERED[start](int(number))
        return self.own.get(name) or SCENARIOS[name]
