"""What one family of providers said and another refuses, taken out of requests that are passed on as they came.

This gateway writes a thought's signature into the answer in whatever grammar the customer speaks (see `MessagesWriter`,
`ResponsesWriter` and `ChatWriter`), and the customer sends it back. Whoever gave it can read it; another server refuses
the whole request for it. What was never passed through a translation has no such mark and is not even opened.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from worker.providers.loose import inside, objects, text

_Fields = dict[str, msgspec.Raw]
_OTHERS: Final = ("google.", "bedrock.")
_SEALERS: Final = ("anthropic.", *_OTHERS)
_IN_MESSAGES: Final = re.compile(rb'"(?:signature|data)"\s*:\s*"(?:"|google\.|bedrock\.)')
_IN_CHAT: Final = re.compile(rb'"(?:family|thought_signature)"\s*:')
_PLAIN_NAME: Final = re.compile(r"[0-9A-Za-z_.-]{1,64}")
_IN_INPUT: Final = re.compile(rb'"reasoning"')
_SEALS: Final = {"thinking": "signature", "redacted_thinking": "data"}


def own_messages(given: msgspec.Raw) -> msgspec.Raw:
    """Messages of Anthropic's format without the thoughts that others sealed, or nobody."""
    if _IN_MESSAGES.search(memoryview(given)) is None:
        return given
    kept: list[_Fields] = []
    for turn in msgspec.json.decode(given, type=list[_Fields]):
        if not bytes(turn["content"]).startswith(b"["):
            kept.append(turn)
            continue
        blocks = msgspec.json.decode(turn["content"], type=list[msgspec.Raw])
        own = [block for block in blocks if not _is_foreign(block)]
        if own or not blocks:
            kept.append(turn | {"content": msgspec.Raw(msgspec.json.encode(own))})
    return msgspec.Raw(msgspec.json.encode(kept))


def _is_foreign(raw: msgspec.Raw) -> bool:
    block = msgspec.json.decode(raw, type=dict[str, Any])
    name = _SEALS.get(text(block, "type"))
    return name is not None and (text(block, name) or _OTHERS[0]).startswith(_OTHERS)


def own_chat(given: msgspec.Raw, *, signed: bool) -> msgspec.Raw:
    """Messages of OpenAI's chat format without what has no place in it. `signed`: the server is Google's."""
    if _IN_CHAT.search(memoryview(given)) is None:
        return given
    messages = msgspec.json.decode(given, type=list[_Fields])
    return msgspec.Raw(msgspec.json.encode([_forget(message, signed=signed) for message in messages]))


def _forget(message: _Fields, *, signed: bool) -> _Fields:
    details = objects(msgspec.json.decode(message.get("reasoning_details", b"null")))
    calls = objects(msgspec.json.decode(message.get("tool_calls", b"null")))
    signatures = [call for call in calls if inside(inside(call, "extra_content"), "google")]
    kept = dict(message)
    if any("family" in detail for detail in details) or (signatures and not signed):
        kept.pop("reasoning_details", None)
        kept.pop("reasoning_content", None)
    if signatures and not signed:
        for call in signatures:
            del call["extra_content"]
        kept["tool_calls"] = msgspec.Raw(msgspec.json.encode(calls))
    return kept


def bare_chat(given: msgspec.Raw, known: frozenset[str]) -> tuple[msgspec.Raw, list[str]]:
    """Messages of OpenAI's chat format with no other fields than these and no developer, and what else was said."""
    messages = msgspec.json.decode(given, type=list[_Fields])
    left = {name for message in messages for name in message if name not in known and bytes(message[name]) != b"null"}
    bare = [{name: value for name, value in message.items() if name in known} for message in messages]
    for message in bare:
        if bytes(message["role"]) == b'"developer"':
            message["role"] = msgspec.Raw(b'"system"')
    if "prefix" in known and bare and bytes(bare[-1]["role"]) == b'"assistant"':
        bare[-1].setdefault("prefix", msgspec.Raw(b"true"))  # else it may not speak last
    named = sorted(f"messages.{name}" for name in left if _PLAIN_NAME.fullmatch(name))
    return msgspec.Raw(msgspec.json.encode(bare)), named


def own_input(given: msgspec.Raw) -> msgspec.Raw | None:
    """Items of OpenAI's Responses without the thoughts that a server which keeps nothing cannot read: those that are
    not sealed, and those that others sealed. None if it has none of them."""
    said = memoryview(given)
    if bytes(said[:1]) != b"[" or _IN_INPUT.search(said) is None:
        return None
    items = msgspec.json.decode(given, type=list[msgspec.Raw])
    kept = [item for item in items if not _is_lost(item)]
    return msgspec.Raw(msgspec.json.encode(kept)) if 0 < len(kept) < len(items) else None


def _is_lost(raw: msgspec.Raw) -> bool:
    item = msgspec.json.decode(raw, type=dict[str, Any])
    seal = text(item, "encrypted_content")
    return text(item, "type") == "reasoning" and (not seal or seal.startswith(_SEALERS))
