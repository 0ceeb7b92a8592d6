"""A provider that speaks Bedrock's Converse and ConverseStream, and takes signed requests only."""

from __future__ import annotations

import base64
import functools
import re
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from tests_py.providers.eventstream import check_signature, frame
from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import Refused, Reply, ScenarioServer, answer

ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
ENDS = {"length": "max_tokens", "refusal": "content_filtered", "blocked": "guardrail_intervened", "failed": "end_turn"}
ERRORS = {
    400: "ValidationException", 403: "AccessDeniedException", 404: "ResourceNotFoundException",
    408: "ModelTimeoutException", 424: "ModelErrorException", 429: "ThrottlingException",
    500: "InternalServerException", 503: "ServiceUnavailableException",
}  # fmt: skip
_ROUTE = re.compile(r"/model/(?P<model>[^/]+)/(?P<method>converse|converse-stream)")


def usage() -> dict[str, Any]:
    """A usage object with all details: 15 input, 10 said, 3 read from the cache and 10 written to it."""
    return {
        "inputTokens": 15,
        "outputTokens": 10,
        "totalTokens": 38,
        "cacheReadInputTokens": 3,
        "cacheWriteInputTokens": 10,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 6}, {"ttl": "1h", "inputTokens": 4}],
    }


@dataclass
class FakeBedrock(ScenarioServer):
    """`/model/{id}/converse` and `/model/{id}/converse-stream`. An error amid a stream is the exception `code`."""

    scenarios: ClassVar[dict[str, Scenario]] = {
        "throttled-in-stream": Scenario(error_after=3, code="throttlingException"),
        "model-error-in-stream": Scenario(error_after=3, code="modelStreamErrorException"),
        "redacted": Scenario(blocks=({"reasoningContent": {"redactedContent": base64.b64encode(b"xyz").decode()}},)),
    }

    access_key: str = field(default=ACCESS_KEY, kw_only=True)
    secret: str = field(default=SECRET, kw_only=True)
    session_token: str = field(default="", kw_only=True)

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        check_signature(seen, self.access_key, self.secret, self.session_token)
        asked = _ROUTE.fullmatch(seen.route)
        if asked is None:
            raise Refused(404, "UnknownOperation", "UnknownOperationException")
        if faults := validate(seen.body, urllib.parse.unquote(asked["model"])):
            raise Refused(400, faults)
        head = ("x-amzn-requestid: 1f2d",)
        if asked["method"] == "converse":
            return answer(_whole(scenario), *head)
        made = list(_events(scenario))
        return Reply(events=made, headers=head, content_type="application/vnd.amazon.eventstream")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        kind = code or ERRORS.get(status, "InternalServerException")
        return answer({"message": message, **more}, f"x-amzn-errortype: {kind}:http://internal/", status=status)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        kind = scenario.code or "modelStreamErrorException"
        return frame({"message": "It broke.", **(scenario.error or {})}, message_type="exception", exception_type=kind)


@functools.cache
def _model() -> Any:
    import botocore.session

    return botocore.session.get_session().get_service_model("bedrock-runtime").operation_model("Converse").input_shape


def validate(body: dict[str, Any], model: str) -> str:
    """What is wrong with a request by Amazon's own description of it; empty: nothing. Unknown names are wrong too."""
    from botocore.validate import ParamValidator

    found = ParamValidator().validate({**body, "modelId": model}, _model())
    return str(found.generate_report())


def _content(scenario: Scenario) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None, list[dict[str, Any]]]]:
    """Each block of an answer: whole, and in a stream its start, if it has one, and its deltas."""
    if scenario.thinking:
        text = {"text": "".join(scenario.thinking), "signature": scenario.signature}
        deltas = [{"reasoningContent": {"text": piece}} for piece in scenario.thinking]
        deltas.append({"reasoningContent": {"signature": scenario.signature}})
        yield {"reasoningContent": {"reasoningText": text}}, None, deltas
    for block in scenario.blocks:
        yield block, None, [block]
    if scenario.pieces:
        yield {"text": "".join(scenario.pieces)}, None, [{"text": piece} for piece in scenario.pieces]
    for number, call in enumerate(scenario.calls, 1):
        start = {"toolUseId": call.id or f"tooluse_{number:02}", "name": call.name}
        deltas = [{"toolUse": {"input": piece}} for piece in call.arguments]
        yield {"toolUse": {**start, "input": call.parsed()}}, {"toolUse": start}, deltas


def _whole(scenario: Scenario) -> dict[str, Any]:
    message = {"role": "assistant", "content": [block for block, _, _ in _content(scenario)]}
    return {
        "output": {"message": message},
        "stopReason": _end(scenario),
        "metrics": {"latencyMs": 300},
        **_used(scenario),
        **(scenario.details or {}),
    }


def _events(scenario: Scenario) -> Iterator[bytes]:
    yield _event("messageStart", role="assistant")
    for index, (_, start, deltas) in enumerate(_content(scenario)):
        if start:  # text and reasoning begin with their first delta
            yield _event("contentBlockStart", contentBlockIndex=index, start=start)
        for delta in deltas:
            yield _event("contentBlockDelta", contentBlockIndex=index, delta=delta)
        yield _event("contentBlockStop", contentBlockIndex=index)
    yield _event("messageStop", stopReason=_end(scenario), **(scenario.details or {}))
    if scenario.usage_on != "never":
        yield _event("metadata", metrics={"latencyMs": 300}, **_used(scenario))


def _event(kind: str, **payload: Any) -> bytes:
    return frame(
        {**payload, "p": "abcdefgh"}, message_type="event", event_type=kind
    )  # p pads, against guessing by size


def _used(scenario: Scenario) -> dict[str, Any]:
    return {} if scenario.usage_on == "never" else {"usage": scenario.usage or usage()}


def _end(scenario: Scenario) -> str:
    return ENDS.get(scenario.ends, scenario.ends) or ("tool_use" if scenario.calls else "end_turn")
