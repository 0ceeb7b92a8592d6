"""A provider that speaks all of OpenAI's surfaces by scenarios, at its paths and at Azure's."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from tests_py.providers import chat, responses, wire
from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import (
    PNG,
    Refused,
    Reply,
    ScenarioServer,
    answer,
    bearer,
    named_event,
    packed,
    require,
    stream,
    vectors,
)

MODEL = "gpt-5.6"
_AZURE = re.compile(r"/openai/deployments/(?P<deployment>[^/]+)(?P<route>/.+)")
_IMAGE = {
    "model", "n", "size", "quality", "background", "output_format", "output_compression", "moderation", "stream",
    "partial_images", "user", "input_fidelity", "safety_identifier",
}  # fmt: skip


def image_usage(count: int = 1) -> dict[str, Any]:
    """The usage of so many images."""
    return {
        "input_tokens": 50,
        "input_tokens_details": {"text_tokens": 10, "image_tokens": 40},
        "output_tokens": 272 * count,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": 272 * count},
        "total_tokens": 50 + 272 * count,
    }


@dataclass
class FakeOpenAI(ScenarioServer):
    """`/chat/completions`, `/responses`, `/embeddings`, `/images/…` and `/models` with a bearer token.

    Azure's `/openai/deployments/{d}/…?api-version=…` and `/openai/v1/…` take it as "api-key".
    """

    base: ClassVar[str] = "/v1"

    scenarios: ClassVar[dict[str, Scenario]] = {
        "search": Scenario(blocks=(responses.SEARCH,)),
        "no-money": Scenario(refuse=429, code="insufficient_quota"),
        "too-long": Scenario(refuse=400, code="context_length_exceeded"),
        "policy": Scenario(refuse=400, code="content_policy_violation"),
        "slow-down": Scenario(refuse=429, code="slow_down", headers=("retry-after-ms: 1500",)),
    }

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        azure = _AZURE.fullmatch(seen.route)
        on_azure = seen.route.startswith("/openai/")
        given = seen.headers.get("api-key") if on_azure else None
        self.check_key(given or bearer(seen), "Incorrect API key provided.")
        if azure and "api-version=" not in seen.path:
            raise Refused(404, "Resource not found")
        route = azure["route"] if azure else seen.route.removeprefix("/openai").removeprefix("/v1")
        body = {"model": azure["deployment"], **seen.body} if azure else seen.body
        match route:
            case "/models":
                about = {"id": MODEL, "object": "model", "created": wire.CREATED, "owned_by": "system"}
                return answer({"object": "list", "data": [about]})
            case "/chat/completions":
                for name in ("model", "messages"):
                    if name not in body:
                        raise Refused(400, f"Missing required parameter: '{name}'.")
                return chat.complete(body, scenario)
            case "/responses":
                require(body, "model", allowed=responses.OPTIONAL, code="unknown_parameter")
                return responses.respond(body, scenario)
            case "/responses/input_tokens":
                return answer({"object": "response.input_tokens", "input_tokens": responses.usage()["input_tokens"]})
            case "/embeddings":
                return _embeddings(body, scenario)
            case "/images/generations":
                require(body, "prompt", allowed=_IMAGE, code="unknown_parameter")
                return _images(body, scenario, "image_generation")
            case "/images/edits":
                if not seen.headers.get("content-type", "").startswith("multipart/form-data"):
                    raise Refused(400, "Unsupported content type")
                require(body, "prompt", allowed=_IMAGE | {"image", "image[]", "mask"}, code="unknown_parameter")
                return _images(body, scenario, "image_edit")
        raise Refused(404, f"Invalid URL ({seen.method} {route})", "unknown_url")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        return chat.refusal(status, message, code, more)

    def error_event(self, seen: Seen, scenario: Scenario) -> bytes:
        return responses.error_event(scenario) if seen.route.endswith("/responses") else chat.error_event(scenario)


def _embeddings(body: dict[str, Any], scenario: Scenario) -> Reply:
    require(body, "model", "input", allowed=("encoding_format", "dimensions", "user"))
    given = body["input"]
    count = 1 if isinstance(given, str) or isinstance(given[0], int) else len(given)
    made: list[Any] = list(vectors(count, body.get("dimensions")))
    if body.get("encoding_format") == "base64":
        made = [packed(vector) for vector in made]
    data = [{"object": "embedding", "index": number, "embedding": vector} for number, vector in enumerate(made)]
    used = scenario.usage or {"prompt_tokens": 5 * count, "total_tokens": 5 * count}
    more = {} if scenario.usage_on == "never" else {"usage": used}
    return answer({"object": "list", "model": body["model"], "data": data, **more})


def _images(body: dict[str, Any], scenario: Scenario, kind: str) -> Reply:
    count = int(body.get("n", 1))
    settings = {"size": "1024x1024", "quality": "low", "background": "opaque", "output_format": "png"}
    data = base64.b64encode(PNG).decode()
    used = {} if scenario.usage_on == "never" else {"usage": scenario.usage or image_usage(count)}
    if str(body.get("stream", False)).lower() != "true":
        return answer({"created": wire.CREATED, "data": [{"b64_json": data}] * count, **settings, **used})
    shown = {"b64_json": data, "created_at": wire.CREATED, **settings}

    def events() -> Iterator[bytes]:
        for number in range(int(body.get("partial_images", 0))):
            partial = f"{kind}.partial_image"
            yield named_event(partial, {"type": partial, "partial_image_index": number, **shown})
        done = f"{kind}.completed"
        for _ in range(count):
            yield named_event(done, {"type": done, **shown, **used})

    return stream(events())
