"""A provider that speaks Voyage's embeddings and rerank."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import Refused, Reply, ScenarioServer, answer, bearer, packed, require, vectors


@dataclass
class FakeVoyage(ScenarioServer):
    """`/v1/embeddings` and `/v1/rerank` with a bearer token."""

    base: ClassVar[str] = "/v1"

    def reply(self, seen: Seen, scenario: Scenario) -> Reply:
        self.check_key(bearer(seen), "Provided API key is invalid.")
        body = seen.body
        match seen.route:
            case "/v1/embeddings":
                options = ("input_type", "truncation", "output_dtype", "output_dimension", "encoding_format")
                require(body, "input", "model", allowed=options)
                if body.get("input_type") not in (None, "query", "document"):
                    raise Refused(400, "input_type must be query, document or null.")
                count = 1 if isinstance(body["input"], str) else len(body["input"])
                made: list[Any] = list(vectors(count, body.get("output_dimension")))
                if body.get("encoding_format") == "base64":
                    made = [packed(vector) for vector in made]
                data = [{"object": "embedding", "embedding": v, "index": number} for number, v in enumerate(made)]
                return _list(body, data, scenario, 5 * count)
            case "/v1/rerank":
                require(body, "query", "documents", "model", allowed=("top_k", "return_documents", "truncation"))
                documents = body["documents"]
                ranked = list(reversed(range(len(documents))))[: body.get("top_k")]
                data = [{"index": index, "relevance_score": 0.5 / (place + 1)} for place, index in enumerate(ranked)]
                if body.get("return_documents"):
                    data = [{**found, "document": documents[int(found["index"])]} for found in data]
                return _list(body, data, scenario, 7 * len(documents))
        raise Refused(404, "Not Found")

    def refusal(self, status: int, message: str, code: str, more: dict[str, Any]) -> Reply:
        return answer({"detail": message, **more}, status=status)


def _list(body: dict[str, Any], data: list[dict[str, Any]], scenario: Scenario, tokens: int) -> Reply:
    used = {} if scenario.usage_on == "never" else {"usage": scenario.usage or {"total_tokens": tokens}}
    return answer({"object": "list", "data": data, "model": body["model"], **used})
