"""What happens in an answer, whatever its grammar; a plain answer is the same events at once.

`Begin`, then pieces of thought, text and calls in the order in which they are said, then `Finish`. A call's pieces name
it by `number`, from 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

from worker.dialects.conversation import Family


class Begin(NamedTuple):
    """The answer begins; the provider's own id of it."""

    id: str


class TextPiece(NamedTuple):
    """Words for the customer."""

    text: str


class RefusalPiece(NamedTuple):
    """Words by which the model declines."""

    text: str


class ThoughtPiece(NamedTuple):
    """Words of what the model thinks."""

    text: str


class Signature(NamedTuple):
    """What was thought since the last signature is signed so; nothing thought: it signs what comes next."""

    signature: str
    family: Family


class SealedThought(NamedTuple):
    """Something thought that only its provider can read."""

    data: str
    family: Family


class CallBegin(NamedTuple):
    """A tool is called."""

    number: int
    id: str
    name: str


class CallPiece(NamedTuple):
    """More of a call's arguments, JSON in pieces."""

    number: int
    arguments: str


class ImagePiece(NamedTuple):
    """A picture, base64."""

    media_type: str
    data: str


class Source(NamedTuple):
    """The last words, so many signs of them, are from a page of the web."""

    url: str
    title: str
    length: int


class Odds(NamedTuple):
    """How likely the tokens were that were said, and others in their place, as OpenAI's chat format lists them."""

    tokens: list[dict[str, Any]]


class Finish(NamedTuple):
    """The answer ends: stop, length, tool_calls, content_filter or other, and the stop sequence, if one ended it."""

    reason: str
    stop_sequence: str | None = None


Event: TypeAlias = (
    Begin
    | TextPiece
    | RefusalPiece
    | ThoughtPiece
    | Signature
    | SealedThought
    | CallBegin
    | CallPiece
    | ImagePiece
    | Source
    | Odds
    | Finish
)


def size_of(event: Event) -> int:
    """The bytes of text in an event, in UTF-8: what usage is estimated from where none is told."""
    match event:
        case TextPiece(text) | RefusalPiece(text) | ThoughtPiece(text):
            return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
        case CallBegin(_, _, name):
            return len(name.encode("utf-8", "surrogatepass"))
        case CallPiece(_, arguments):
            return len(arguments.encode("utf-8", "surrogatepass"))
    return 0
