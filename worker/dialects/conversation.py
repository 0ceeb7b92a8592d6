"""A request, whatever its grammar: what was said so far, and how the model is to answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any, Final, Literal

import msgspec

from worker.providers.base import CallFailed

_NOT_IN_NAMES: Final = re.compile(r"[^0-9A-Za-z_-]")
OPENING: Final = "..."
"""Words where there must be some, and nobody has said any."""
_NAMED: Final = re.compile(r"[0-9A-Za-z_-]{1,64}")
_PLAIN_NAME: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_MOST_UNREAD: Final = 32
# Asking for what is the case anyway is no wish.
_NO_WISH: Final[dict[str, Any]] = {"modalities": ["text"], "truncation": "disabled", "speed": "standard"}

Family = Literal["anthropic", "google", "bedrock", "openai"]
"""Who can read a signature: nobody else may be sent it."""


class Text(msgspec.Struct):
    """Words. `cache`: a prompt up to here is to be kept by the provider, for "5m" or "1h"."""

    text: str
    cache: str | None = None


class Image(msgspec.Struct):
    """A picture, by `url` or as base64 `data` of a `media_type`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    detail: str | None = None
    cache: str | None = None


class Document(msgspec.Struct):
    """A document: base64 `data` of a `media_type`, a `url`, or plain `text`."""

    media_type: str | None = None
    data: str | None = None
    url: str | None = None
    text: str | None = None
    name: str | None = None
    cache: str | None = None


class Sound(msgspec.Struct):
    """Something to listen to: base64 `data` in a `format` such as "wav"."""

    data: str
    format: str
    cache: str | None = None


class ToolCall(msgspec.Struct):
    """A call the model made; `arguments` is JSON as the model wrote it, which may be none."""

    id: str
    name: str
    arguments: str
    cache: str | None = None

    def parsed(self) -> dict[str, Any]:
        """The arguments as an object; what is no JSON object is wrapped, so that nothing is lost."""
        if not self.arguments.strip():
            return {}
        try:
            found = msgspec.json.decode(self.arguments)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {"invalid_json": self.arguments}
        return found if isinstance(found, dict) else {"value": found}


class ToolResult(msgspec.Struct):
    """What a call gave; `name` is the tool's, as far as the conversation tells."""

    id: str
    parts: list[Text | Image | Document]
    name: str | None = None
    is_error: bool = False
    cache: str | None = None

    @property
    def text(self) -> str:
        """Its words."""
        return "\n".join(part.text for part in self.parts if not isinstance(part, Image) and part.text)

    @property
    def shown(self) -> list[Image | Document]:
        """What of it is no words: pictures, and documents that are not plain text."""
        return [part for part in self.parts if isinstance(part, Image | Document) and not getattr(part, "text", None)]


class Thinking(msgspec.Struct):
    """What the model thought, and the signature by which its provider knows it again; redacted, `text` is sealed."""

    text: str
    signature: str | None = None
    family: Family | None = None
    is_redacted: bool = False


Part = Text | Image | Document | Sound | ToolCall | ToolResult | Thinking


class Turn(msgspec.Struct):
    """One turn; results of tools are said by the user."""

    role: Literal["user", "assistant"]
    parts: list[Part]


class Tool(msgspec.Struct):
    """A function that the model may call; `parameters` is a JSON schema."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None
    cache: str | None = None


class Schema(msgspec.Struct):
    """The form the answer must have; without a `schema` any JSON object."""

    schema: dict[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = None
    description: str | None = None


class Conversation(msgspec.Struct):
    """A request.

    `tool_choice` is "auto", "none", "required" or `{"name": …}` of one tool. `parameters` are further wishes under the
    names of OpenAI's chat completions (`temperature`, `seed`, …) or, where that has none, of the API that has; a
    provider that cannot be told one leaves it out and says so. `unread` are the names of what else was asked for, which
    no other provider is told.
    """

    system: list[Text] = []
    turns: list[Turn] = []
    tools: list[Tool] = []
    tool_choice: str | dict[str, str] | None = None
    schema: Schema | None = None
    parameters: dict[str, Any] = {}
    unread: list[str] = []

    def take(self, known: frozenset[str]) -> tuple[dict[str, Any], list[str]]:
        """The parameters whose names are known, and the names of the others."""
        dropped = sorted({*self.unread, *(name for name in self.parameters if name not in known)})
        return {name: value for name, value in self.parameters.items() if name in known}, dropped

    @property
    def words(self) -> int:
        """Bytes of everything that was said, roughly: what an estimate of its tokens begins with."""
        return len(msgspec.json.encode((self.system, self.turns, self.tools)))

    def settle(self) -> None:
        """Bring what was said into a form that every provider takes: no empty words, speakers in turn, and somebody to
        answer: where nobody but the system spoke, its last words are the user's."""
        self.system = [part for part in self.system if part.text]
        self.turns = merge_turns(self.turns)
        if not self.turns and self.system:
            self.turns.append(Turn("user", [self.system.pop()]))

    @property
    def parts(self) -> Iterator[Part]:
        """All that was said, and what tools gave."""
        for turn in self.turns:
            for part in turn.parts:
                yield part
                if isinstance(part, ToolResult):
                    yield from part.parts

    def leave_drawn(self) -> list[str]:
        """Take out the pictures that the model drew, for a provider whose models take none of their own; names them."""
        drawn = [turn for turn in self.turns if turn.role == "assistant" and any(map(_is_image, turn.parts))]
        for turn in drawn:
            turn.parts = [part for part in turn.parts if not _is_image(part)]
        return ["messages.images"] if drawn else []

    @property
    def must_call(self) -> bool:
        """Whether the model is forced to call a tool."""
        return bool(self.tools) and (self.tool_choice == "required" or isinstance(self.tool_choice, dict))

    def allow(self, names: list[str], mode: str) -> None:
        """Of the tools these alone may be called; `mode` as in `tool_choice`."""
        self.tools = [tool for tool in self.tools if tool.name in names]
        self.tool_choice = mode

    def leave(self, given: dict[str, Any], known: frozenset[str]) -> None:
        """Note what was asked for under names that nobody here reads."""
        asked = (name for name, value in given.items() if name not in known and value and value != _NO_WISH.get(name))
        self.unread = [name if _PLAIN_NAME.fullmatch(name) else "?" for name in asked][:_MOST_UNREAD]


def merge_turns(turns: list[Turn], family: Family | None = None) -> list[Turn]:
    """Turns of the same speaker that follow each other as one, as most providers want it. With a `family` less the
    thoughts that it cannot read, and the blank words that Claude does not take; nor does it begin a conversation."""
    merged: list[Turn] = []
    for turn in turns:
        if not (parts := [part for part in turn.parts if _is_said(part, family)]):
            continue
        if merged and merged[-1].role == turn.role:
            merged[-1].parts.extend(parts)
        else:
            merged.append(Turn(turn.role, parts))
    if family in ("anthropic", "bedrock") and merged and merged[0].role == "assistant":
        merged.insert(0, Turn("user", [Text(OPENING)]))
    return merged


def _is_image(part: Part) -> bool:
    return isinstance(part, Image)


def _is_said(part: Part, family: Family | None) -> bool:
    if isinstance(part, Text):
        return bool(part.text.strip() if family in ("anthropic", "bedrock") else part.text)
    return family is None or not isinstance(part, Thinking) or part.family == family


def fit_ids(talk: Conversation, known: re.Pattern[str] = _NAMED, size: int = 32) -> None:
    """Ids of calls as a server takes them: others become so many letters and digits; the same one stays the same."""
    for part in talk.parts:
        if isinstance(part, ToolCall | ToolResult) and not known.fullmatch(part.id):
            part.id = _digest(part.id, size)


def fit_names(talk: Conversation, size: int = 64) -> dict[str, str]:
    """Names of tools as a server takes them, which has no room for longer ones, and no other signs than these; and by
    them what the customer calls those that are told otherwise."""
    names: dict[str, str] = {}

    def fit(name: str) -> str:
        if len(name) <= size and _NOT_IN_NAMES.search(name) is None:
            return name
        other = f"{_NOT_IN_NAMES.sub('_', name)[: size - 9]}_{_digest(name, 8)}"
        names[other] = name
        return other

    for tool in talk.tools:
        tool.name = fit(tool.name)
    for part in talk.parts:
        if isinstance(part, ToolCall):
            part.name = fit(part.name)
    if isinstance(talk.tool_choice, dict):
        talk.tool_choice = {"name": fit(talk.tool_choice["name"])}
    return names


def _digest(said: str, size: int) -> str:
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()[:size]


def write_stops(
    wishes: dict[str, Any], dropped: list[str], *, most: int | None = None, blank: bool = True
) -> list[str]:
    """Where the answer is to end, as far as it can be told: so many at most, and blanks, or not."""
    stop = wishes.get("stop") or []
    given = [stop] if isinstance(stop, str) else stop
    told = [one for one in given if blank or one.strip()][:most]
    if len(told) < len(given):
        dropped.append("stop")
    return told


def own_thinking(part: Part, family: Family) -> bool:
    """Whether it is something thought that this family of providers can read."""
    return isinstance(part, Thinking) and part.family == family and part.signature is not None


def split_data_url(url: str) -> tuple[str, str] | None:
    """Media type, as its registry has it, and base64 of a data URL; None for any other."""
    if not url.startswith("data:"):
        return None
    head, _, data = url[5:].partition(",")
    kind, *flags = head.split(";")
    kind = kind.lower() or "text/plain"
    return ("image/jpeg" if kind == "image/jpg" else kind, data) if "base64" in flags else None


def unspeakable(what: str, param: str | None = None) -> CallFailed:
    """The failure of a request that says something this provider's grammar has no words for."""
    message = f"{what} cannot be sent to the provider that was chosen for this call."
    return CallFailed("bad_request", failover=True, customer_fault=True, message=message, param=param)
