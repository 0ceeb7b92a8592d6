"""A provider that speaks Mistral's dialect: OpenAI's chat format with differences."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

from tests_py.providers import chat, wire
from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import Refused, Reply, ScenarioServer, answer, bearer, require, vectors

MODEL = "mistral-medium-2608"
DIALECT = chat.Dialect(usage_on_finish=True, thinks_in_content=True, whole_calls=True, id_prefix="D681PevK")
OPTIONAL = {
    "temperature", "top_p", "max_tokens", "stream", "stop", "random_seed", "metadata", "response_format", "tools",
    "tool_choice", "presence_penalty", "frequency_penalty", "n", "prediction", "parallel_tool_calls", "prompt_mode",
    "reasoning_effort", "safe_prompt", "guardrails", "prompt_cache_key",
}  # fmt: skip
ERRORS = {422: "invalid_request_error", 429: "rate_limited", 500: "internal_server_error", 503: "unreachable_backend"}


def usage() -> dict[str, Any]:
    """A usage object: 19 input, 10 output."""
    return {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29, "prompt_audio_seconds": None}


ALLOWED = {
    "system": {"content"}, "user": {"content"}, "assistant": {"content", "tool_calls", "prefix"},
    "tool": {"content", "tool_call_id", "name"},
}  # fmt: skip
"""What a message may have, by its role."""


@dataclass
class FakeMistral(ScenarioServer):
    """`/v1/chat/completions`, `/v1/embeddings` and `/v1/models` with a bearer token; unknown fields are refused."""

    base: ClassVar[str] = "/v1"

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        self.check_key(bearer(seen), "Unauthorized")
        match seen.route:
            case "/v1/models":
                about = {"id": MODEL, "object": "model", "created": wire.CREATED, "type": "base"}
                return answer({"object": "list", "data": [{**about, "capabilities": {"completion_chat": True}}]})
            case "/v1/chat/completions":
                try:
                    require(seen.body, "model", "messages", allowed=OPTIONAL)
                    for message in seen.body["messages"]:
                        require(message, "role", allowed=ALLOWED.get(message["role"], set()))
                except Refused as no:
                    raise Refused(422, str(no)) from None
                if scenario.usage is None:
                    scenario = replace(scenario, usage=usage())
                return chat.complete(seen.body, scenario, DIALECT)
            case "/v1/embeddings":
                require(seen.body, "model", "input", allowed=("output_dimension", "output_dtype", "encoding_format"))
                given_texts = seen.body["input"]
                count = 1 if isinstance(given_texts, str) else len(given_texts)
                made = enumerate(vectors(count, seen.body.get("output_dimension")))
                data = [{"object": "embedding", "index": number, "embedding": vector} for number, vector in made]
                used = {"prompt_tokens": 5 * count, "completion_tokens": 0, "total_tokens": 5 * count}
                body = {"id": "e1", "object": "list", "model": seen.body["model"], "data": data}
                return answer(body | ({} if scenario.usage_on == "never" else {"usage": scenario.usage or used}))
        raise Refused(404, "no Route matched with those values")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        if status == 401:
            return answer({"detail": message, **more}, status=status)
        kind = code or ERRORS.get(status, "invalid_request_error")
        told: Any = {"detail": [{"type": "extra_forbidden", "msg": message}]} if status == 422 else message
        body = {"object": "error", "message": told, "type": kind, "param": None, "code": None, **more}
        return answer(body, status=status)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        return wire.event({"object": "error", "message": "It broke.", "type": scenario.code or "internal_server_error"})
