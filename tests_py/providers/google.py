"""A provider that speaks Google's generateContent format, at Gemini's paths and at Vertex's."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tests_py.providers import wire
from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import PNG, Refused, Reply, ScenarioServer, answer, bearer, require, stream, vectors

MODEL = "gemini-3-flash"
ENDS = {"length": "MAX_TOKENS", "refusal": "SAFETY", "failed": "MALFORMED_FUNCTION_CALL"}
ERRORS = {
    400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED", 500: "INTERNAL", 503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED",
}  # fmt: skip
OPTIONAL = {
    "model", "systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "serviceTier",
    "generationConfig", "labels",
}  # fmt: skip
CONFIG = {
    "temperature", "topP", "topK", "candidateCount", "maxOutputTokens", "stopSequences", "seed", "presencePenalty",
    "frequencyPenalty", "responseMimeType", "responseSchema", "responseJsonSchema", "responseModalities",
    "responseLogprobs", "logprobs", "mediaResolution", "speechConfig", "imageConfig", "thinkingConfig",
}  # fmt: skip
PART = {
    "text", "inlineData", "fileData", "functionCall", "functionResponse", "executableCode", "codeExecutionResult",
    "thought", "thoughtSignature", "videoMetadata",
}  # fmt: skip
_TYPE = "type.googleapis.com/google.rpc."
RETRY = {"@type": _TYPE + "RetryInfo", "retryDelay": "22s"}
_GEMINI = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<method>\w+)")
_VERTEX = re.compile(
    r"/v1(?:beta1)?/projects/[^/]+/locations/[^/]+/publishers/google/models/(?P<model>[^/:]+):(?P<method>\w+)"
)


def quota(name: str) -> dict[str, Any]:
    """The detail of a 429 that says which quota was exceeded: …PerMinute… comes back soon, …PerDay… does not."""
    violation = {"quotaMetric": "generativelanguage.googleapis.com/requests", "quotaId": name, "quotaValue": "10"}
    return {"@type": _TYPE + "QuotaFailure", "violations": [violation]}


def usage(*, image: bool = False) -> dict[str, Any]:
    """A usage object with all details: 19 prompted, 4 of them cached, 6 from tools, 10 said (1290 drawn), 3 thought."""
    count = 1300 if image else 10
    said = [{"modality": "TEXT", "tokenCount": 10}] + ([{"modality": "IMAGE", "tokenCount": 1290}] if image else [])
    return {
        "promptTokenCount": 19,
        "cachedContentTokenCount": 4,
        "candidatesTokenCount": count,
        "thoughtsTokenCount": 3,
        "toolUsePromptTokenCount": 6,
        "totalTokenCount": 19 + count + 3 + 6,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 19}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        "candidatesTokensDetails": said,
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 6}],
    }


@dataclass
class FakeGoogle(ScenarioServer):
    """Gemini's paths take the key as "x-goog-api-key", Vertex's as a bearer token."""

    scenarios: ClassVar[dict[str, Scenario]] = {
        "image": Scenario(image=True, usage=usage(image=True)),
        "minute-limit": Scenario(
            refuse=429, error={"details": [quota("GenerateRequestsPerMinutePerProjectPerModel"), RETRY]}
        ),
        "day-limit": Scenario(refuse=429, error={"details": [quota("GenerateRequestsPerDayPerProjectPerModel")]}),
        "bad-key": Scenario(
            refuse=400,
            error={
                "message": "API key not valid. Please pass a valid API key.",
                "details": [{"@type": _TYPE + "ErrorInfo", "reason": "API_KEY_INVALID"}],
            },
        ),
        "too-long": Scenario(
            refuse=400,
            error={"message": "The input token count (1200000) exceeds the maximum number of tokens allowed."},
        ),
    }

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        vertex = _VERTEX.fullmatch(seen.route)
        asked = vertex or _GEMINI.fullmatch(seen.route)
        missing = "Request is missing required authentication credential."
        if vertex:
            self.check_key(bearer(seen), missing)
        else:
            self.check_key(seen.headers.get("x-goog-api-key"), missing, status=403)
        if seen.is_question:
            about = {"name": f"models/{MODEL}", "displayName": "Gemini", "inputTokenLimit": 1048576}
            return answer({"models": [about]})
        if asked is None:
            raise Refused(404, "Not found")
        body = seen.body
        match asked["method"]:
            case "generateContent":
                check(body, asked["model"])
                return answer(_whole(asked["model"], scenario))
            case "streamGenerateContent":
                check(body, asked["model"])
                chunks = _chunks(asked["model"], scenario)
                if "alt=sse" not in seen.path:
                    return Reply(json.dumps(list(chunks)).encode())
                return stream(_event(chunk) for chunk in chunks)
            case "countTokens":
                return answer({"totalTokens": 19, "promptTokensDetails": usage()["promptTokensDetails"]})
            case "embedContent":
                require(body, "content", allowed=("model", "taskType", "title", "outputDimensionality", "autoTruncate"))
                (values,) = vectors(1, body.get("outputDimensionality"))
                return answer({"embedding": {"values": values}, **_embedding_usage(scenario, 1)})
            case "batchEmbedContents" if not vertex:
                require(body, "requests")
                for request in body["requests"]:
                    require(request, "model", "content", allowed=("taskType", "title", "outputDimensionality"))
                made = vectors(len(body["requests"]), body["requests"][0].get("outputDimensionality"))
                found = [{"values": values} for values in made]
                return answer({"embeddings": found, **_embedding_usage(scenario, len(found))})
            case "predict" if vertex:
                require(body, "instances", allowed=("parameters",))
                made = vectors(len(body["instances"]), body.get("parameters", {}).get("outputDimensionality"))
                for instance in body["instances"]:
                    require(instance, "content", allowed=("task_type", "title"))
                facts = {} if scenario.usage_on == "never" else {"token_count": 5, "truncated": False}
                return answer({"predictions": [{"embeddings": {"values": v, "statistics": facts}} for v in made]})
        raise Refused(404, "Not found")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        return answer(_error(status, message, code, more), status=status)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        return _event(_error(503, "The model is overloaded.", scenario.code, scenario.error or {}))


def check(body: dict[str, Any], model: str = "") -> None:
    """Refuse what the API refuses: unknown names, at the top, in the config and in parts, and unknown roles; and by its
    third generation calls that are not signed."""
    require(body, "contents", allowed=OPTIONAL)
    if not body["contents"]:
        raise Refused(400, "* GenerateContentRequest.contents: contents is not specified")
    require(body.get("generationConfig", {}), allowed=CONFIG)
    for content in body["contents"]:
        if content.get("role", "user") not in ("user", "model"):
            raise Refused(400, "Please use a valid role: user, model.")
        if not content.get("parts"):
            raise Refused(400, "contents.parts must not be empty.")
        first = next((part for part in content["parts"] if "functionCall" in part), {"thoughtSignature": ""})
        if model.startswith("gemini-3") and "thoughtSignature" not in first:
            raise Refused(400, "Function call is missing a thought_signature in functionCall parts.")
        for part in content["parts"]:
            require(part, allowed=PART)


def _event(data: dict[str, Any]) -> bytes:
    """A server-sent event; here their lines end in CRLF."""
    return wire.event(data).replace(b"\n", b"\r\n")


def _error(status: int, message: str, code: str, more: dict[str, Any]) -> dict[str, Any]:
    return {"error": {"code": status, "message": message, "status": code or ERRORS.get(status, "UNKNOWN"), **more}}


def _embedding_usage(scenario: Scenario, count: int) -> dict[str, Any]:
    if scenario.usage_on == "never":
        return {}
    details = [{"modality": "TEXT", "tokenCount": 5 * count}]
    return {"usageMetadata": scenario.usage or {"promptTokenCount": 5 * count, "promptTokensDetails": details}}


def _parts(scenario: Scenario) -> Iterator[dict[str, Any]]:
    """The parts of an answer in the pieces in which a stream brings them; each call is one."""
    for piece in scenario.thinking:
        yield {"text": piece, "thought": True}
    yield from scenario.blocks
    for piece in scenario.pieces:
        yield {"text": piece}
    if scenario.image:
        yield {"inlineData": {"mimeType": "image/png", "data": base64.b64encode(PNG).decode()}}
    for number, call in enumerate(scenario.calls):
        made: dict[str, Any] = {"name": call.name, "args": call.parsed()} | ({"id": call.id} if call.id else {})
        yield {"functionCall": made} | ({} if number else {"thoughtSignature": scenario.signature})


def _whole(model: str, scenario: Scenario) -> dict[str, Any]:
    parts: list[dict[str, Any]] = []
    for part in _parts(scenario):
        if parts and set(part) == set(parts[-1]) and part.get("text"):
            parts[-1]["text"] += part["text"]
        else:
            parts.append(dict(part))
    return _chunk(model, scenario, parts, _end(scenario), last=True)


def _chunks(model: str, scenario: Scenario) -> Iterator[dict[str, Any]]:
    parts = list(_parts(scenario))
    for number, part in enumerate(parts[:-1], 1):
        yield _chunk(model, scenario, [part], None, said=number)
    yield _chunk(model, scenario, parts[-1:], _end(scenario), last=True)


def _chunk(
    model: str, scenario: Scenario, parts: list[dict[str, Any]], end: str | None, *, said: int = 0, last: bool = False
) -> dict[str, Any]:
    made: dict[str, Any] = {"modelVersion": model, "responseId": "r-1"}
    if scenario.ends == "blocked":
        made["promptFeedback"] = {"blockReason": "PROHIBITED_CONTENT"}
    else:
        candidate: dict[str, Any] = {"content": {"role": "model", "parts": parts}, "index": 0}
        if end:
            candidate |= {"finishReason": end, **(scenario.details or {})}
        if last and scenario.citations:
            candidate["citationMetadata"] = {"citations": list(scenario.citations)}
        made["candidates"] = [candidate]
    if scenario.usage_on != "never":
        made["usageMetadata"] = _used(scenario, said, last=last)
    return made


def _used(scenario: Scenario, said: int, *, last: bool) -> dict[str, Any]:
    """What a chunk says of usage: what is known before the end, and then all; of a blocked prompt its length."""
    used = scenario.usage or usage()
    if scenario.ends == "blocked":
        return {"promptTokenCount": used["promptTokenCount"], "totalTokenCount": used["promptTokenCount"]}
    if last:
        return used
    known = {name: used[name] for name in ("promptTokenCount", "promptTokensDetails") if name in used}
    return known | {"candidatesTokenCount": said, "totalTokenCount": used.get("promptTokenCount", 0) + said}


def _end(scenario: Scenario) -> str:
    return ENDS.get(scenario.ends, scenario.ends) or "STOP"
