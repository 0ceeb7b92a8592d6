"""Models, usage, billing, health, metrics, documentation, and everything that is no route."""

from __future__ import annotations

import html.parser
import json
from collections.abc import AsyncIterator

import msgspec
import pytest
import pytest_asyncio

from litestar_app.calls import Caller, Reply
from onevault.tokens import digest_token
from tests_py.litestar_app.kit import PEPPER, TOKEN, Desk, running_front

MODELS = {"object": "list", "data": [{"id": "gpt-4o", "object": "model"}, {"id": "openai/gpt-4o", "x": 1.50}]}


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    async with running_front() as desk:
        yield desk


def say(desk: Desk, body: object) -> bytes:
    raw = json.dumps(body).encode()
    desk.reads.says = Reply("ok", body=msgspec.Raw(raw))
    return raw


@pytest.mark.parametrize("path", ["/v1/models", "/v1/ai/models"])
async def test_models_are_listed_as_sql_says(desk: Desk, path: str) -> None:
    raw = say(desk, MODELS)
    response = await desk.client.get(path)
    assert (response.status_code, response.content) == (200, raw)
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-onevault-request-id"]
    assert desk.reads.asked == [("list_models", Caller(digest_token(TOKEN, PEPPER), "127.0.0.1"))]


@pytest.mark.parametrize(
    ("query", "names", "more"),
    [
        ("limit=2", ["a", "b"], True),
        ("limit=2&after_id=b", ["c", "d"], False),
        ("after_id=d", [], False),
        ("limit=2&before_id=d", ["b", "c"], True),
        ("before_id=c", ["a", "b"], False),
        ("limit=1000", ["a", "b", "c", "d"], False),
    ],
)
async def test_models_come_in_pages(desk: Desk, query: str, names: list[str], more: bool) -> None:
    say(desk, {"object": "list", "data": [{"id": name} for name in "abcd"], "has_more": False, "last_id": "d"})
    found = (await desk.client.get(f"/v1/models?{query}")).json()
    assert [model["id"] for model in found["data"]] == names
    ends = (names[0], names[-1]) if names else (None, None)
    assert (found["object"], found["has_more"], found["first_id"], found["last_id"]) == ("list", more, *ends)


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=1001", "limit=x", "limit=%C2%B2", "limit=" + "9" * 99, "after_id=z"]
)
async def test_a_page_that_is_none_is_refused(desk: Desk, query: str) -> None:
    say(desk, MODELS)
    response = await desk.client.get(f"/v1/models?{query}")
    assert (response.status_code, response.json()["error"]["param"]) == (400, query.partition("=")[0])


@pytest.mark.parametrize(
    ("path", "name"), [("gpt-4o", "gpt-4o"), ("openai/gpt-4o", "openai/gpt-4o"), ("openai%2Fgpt-4o", "openai/gpt-4o")]
)
async def test_one_model_is_found_by_its_name(desk: Desk, path: str, name: str) -> None:
    say(desk, MODELS)
    response = await desk.client.get(f"/v1/models/{path}")
    assert (response.status_code, response.json()["id"]) == (200, name)


@pytest.mark.parametrize(
    ("path", "status"),
    [("maker/small", 200), ("maker%2Fsmall", 200), ("other/small", 404), ("maker/large", 404), ("small/maker", 404)],
)
async def test_a_model_is_found_at_its_provider(desk: Desk, path: str, status: int) -> None:
    """As calls name it. Mutants: another provider's taken for it, the name alone looked at."""
    say(desk, {"data": [{"id": "small", "onevault": {"providers": ["maker", "third"]}}]})
    response = await desk.client.get(f"/v1/models/{path}")
    assert (response.status_code, response.json().get("id")) == (status, "small" if status == 200 else None)


async def test_feedback_says_what_it_takes(desk: Desk) -> None:
    """Without a word of what was sent. Mutants: a sentence about ranges, the field's own name in it."""
    sent = {"request_id": "0" * 36, "score": 1, "canary_7f3a": "canary-7f3a"}
    response = await desk.client.post("/v1/ai/feedback", json=sent)
    told = "The body has a field that this route does not take; it takes `request_id` and `score`."
    assert (response.status_code, response.json()["error"]["message"]) == (400, told)
    worded = b'{"request_id": "%b", "score": "x"}' % (b"0" * 36)
    for body, words in ((worded, "`score` must be a number."), (b" ", "empty")):
        response = await desk.client.post("/v1/ai/feedback", content=body)
        assert (response.status_code, words in response.json()["error"]["message"]) == (400, True), response.text


async def test_an_unknown_model_is_404(desk: Desk) -> None:
    say(desk, MODELS)
    response = await desk.client.get("/v1/models/canary-7f3a")
    assert (response.status_code, response.json()["error"]["code"]) == (404, "model_not_found")
    assert "canary" not in response.text
    assert response.headers["x-should-retry"] == "false"


async def test_usage_passes_checked_parameters_on(desk: Desk) -> None:
    raw = say(desk, {"data": []})
    response = await desk.client.get(
        "/v1/usage?from=2026-11-01&to=2026-11-23T10:00:00+00:00&group_by=day, model&limit=50&after=2026-11-02.x"
    )
    assert (response.status_code, response.content) == (200, raw)
    assert desk.reads.asked[0][2] == {
        "from": "2026-11-01",
        "to": "2026-11-23T10:00:00+00:00",
        "group_by": "day, model",
        "limit": "50",
        "after": "2026-11-02.x",
    }


@pytest.mark.parametrize("name", ["from", "to", "group_by", "limit", "after"])
@pytest.mark.parametrize("value", ["%00", "x" * 201, "%0a"])
async def test_what_cannot_be_a_value_is_refused_before_sql(desk: Desk, name: str, value: str) -> None:
    response = await desk.client.get(f"/v1/usage?{name}={value}")
    assert (response.status_code, response.json()["error"]["param"]) == (400, name)
    assert not desk.reads.asked


async def test_a_refusal_of_sql_names_its_parameter(desk: Desk) -> None:
    desk.reads.says = Reply("invalid_request", 400, "Bad.", param="group_by", detail={"param": "group_by"})
    response = await desk.client.get("/v1/usage?group_by=colour")
    assert response.json()["error"] == {
        "message": "Bad.",
        "type": "invalid_request_error",
        "code": "invalid_request",
        "param": "group_by",
    }


async def test_billing_takes_a_month(desk: Desk) -> None:
    say(desk, {})
    assert (await desk.client.get("/v1/billing")).status_code == 200
    assert (await desk.client.get("/v1/billing/2026-10")).status_code == 200
    assert [asked[2] for asked in desk.reads.asked] == [None, "2026-10"]


READS = ["/v1/models", "/v1/models/x", "/v1/ai/models", "/v1/usage", "/v1/billing", "/v1/billing/2026-10"]


@pytest.mark.parametrize("path", READS)
async def test_every_read_needs_a_token_of_the_right_form(desk: Desk, path: str) -> None:
    response = await desk.client.get(path, headers={"authorization": "Bearer nonsense"})
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_token")
    assert not desk.reads.asked


@pytest.mark.parametrize("path", READS)
async def test_every_read_says_so_when_the_database_is_away(desk: Desk, path: str) -> None:
    desk.reads.away = True
    response = await desk.client.get(path)
    assert (response.status_code, response.json()["error"]["code"]) == (503, "overloaded")
    assert response.headers["retry-after"] == "1"


@pytest.mark.parametrize("path", READS)
async def test_every_read_tells_what_sql_refuses(desk: Desk, path: str) -> None:
    desk.reads.says = Reply("token_expired", 401, "It expired.")
    response = await desk.client.get(path)
    assert (response.status_code, response.json()["error"]["message"]) == (401, "It expired.")


async def test_health(desk: Desk) -> None:
    assert (await desk.client.get("/healthz/live")).status_code == 200
    assert (await desk.client.get("/healthz/ready")).json()["ready"] is True
    desk.reads.away = True
    assert (await desk.client.get("/healthz/live")).status_code == 200
    response = await desk.client.get("/healthz/ready")
    assert (response.status_code, response.json()["ready"]) == (503, False)


async def test_health_is_asked_for_its_head(desk: Desk) -> None:
    async def head(path: str) -> tuple[int, bytes, str | None]:
        response = await desk.client.head(path)
        return response.status_code, response.content, response.headers.get("retry-after")

    assert await head("/healthz/live") == (200, b"", None)
    assert await head("/healthz/ready") == (200, b"", None)
    desk.reads.away = True
    assert await head("/healthz/live") == (200, b"", None)
    assert await head("/healthz/ready") == (503, b"", "1")


async def test_metrics_speak_without_the_database(desk: Desk) -> None:
    assert "onevault_database_up 1.0" in (await desk.client.get("/metrics")).text
    desk.reads.away = True
    response = await desk.client.get("/metrics")
    assert "onevault_database_up 0.0" in response.text
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    "path", ["/", "/v1", "/v1/nothing", "/v1/chat", "/docs/nothing", "/v1/chat/completions/x", "/%00"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_route_is_refused_in_shape(desk: Desk, path: str, method: str) -> None:
    response = await desk.client.request(method, path)
    assert response.status_code == 404
    error = response.json()["error"]
    assert (error["code"], error["type"]) == ("not_found", "not_found_error")


async def test_anthropics_surface_has_anthropics_shape(desk: Desk) -> None:
    response = await desk.client.post("/v1/messages/batches", json={})
    body = response.json()
    assert (response.status_code, body["type"], body["error"]["type"]) == (404, "error", "not_found_error")
    assert body["request_id"] == response.headers["x-onevault-request-id"]


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/models"), ("PUT", "/v1/usage"), ("POST", "/metrics")])
async def test_a_wrong_method_is_refused_in_shape(desk: Desk, method: str, path: str) -> None:
    response = await desk.client.request(method, path)
    assert (response.status_code, response.json()["error"]["code"]) == (405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


async def test_a_fault_of_ours_shows_no_trace(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.reads.says = Reply("ok", body=msgspec.Raw(b'{"data": "canary"}'))
    response = await desk.client.get("/v1/models/x")
    assert (response.status_code, response.json()["error"]["code"]) == (500, "internal_error")
    assert "canary" not in response.text
    assert "Traceback" not in response.text


async def test_the_description_names_every_route(desk: Desk) -> None:
    document = (await desk.client.get("/openapi.json")).json()
    assert document["openapi"].startswith("3.")
    assert set(document["paths"]) == {
        "/v1/ai/completions",
        "/v1/ai/embeddings",
        "/v1/ai/feedback",
        "/v1/ai/images/generations",
        "/v1/ai/models",
        "/v1/embeddings",
        "/v1/images/edits",
        "/v1/images/generations",
        "/v1/messages",
        "/v1/messages/count_tokens",
        "/v1/rerank",
        "/v1/responses",
        "/v1/billing",
        "/v1/billing/{period}",
        "/v1/chat/completions",
        "/v1/models",
        "/v1/models/{model_id}",
        "/v1/usage",
        "/healthz/live",
        "/healthz/ready",
        "/metrics",
    }
    chat = document["paths"]["/v1/chat/completions"]["post"]
    name = chat["requestBody"]["content"]["application/json"]["schema"]["$ref"].rsplit("/", 1)[-1]
    assert "messages" in document["components"]["schemas"][name]["properties"]
    assert "429" in chat["responses"]
    assert document["paths"]["/healthz/live"]["get"]["security"] == []
    assert {p["name"] for p in document["paths"]["/v1/usage"]["get"]["parameters"]} == {
        "from",
        "to",
        "group_by",
        "limit",
        "after",
    }


async def test_the_page_needs_nothing_from_elsewhere(desk: Desk) -> None:
    response = await desk.client.get("/docs")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["content-security-policy"].startswith("default-src 'none'")

    class Reader(html.parser.HTMLParser):
        def __init__(self) -> None:
            super().__init__()
            self.tags: list[str] = []
            self.addresses: list[str] = []

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.tags.append(tag)
            self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]

    reader = Reader()
    reader.feed(response.text)
    assert not {"script", "link", "img", "iframe"} & set(reader.tags)
    assert all(address.startswith("#") or address == "openapi.json" for address in reader.addresses)
    assert "/v1/chat/completions" in response.text
    assert "include_usage" in response.text
