"""What all fakes share, seen by a plain client; and Voyage's, whose SDK brings too much to be installed for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests_py.providers.openai import FakeOpenAI
from tests_py.providers.scenarios import Scenario
from tests_py.providers.voyage import FakeVoyage

ASK: Any = {"model": "gpt-5.6", "input": "Hello", "stream": True}


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeOpenAI]:
    with FakeOpenAI() as server:
        yield server


@pytest.fixture(scope="module")
def voyage() -> Iterator[FakeVoyage]:
    with FakeVoyage() as server:
        yield server


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    with httpx.Client(headers={"authorization": "Bearer k"}, timeout=0.2, trust_env=False) as client:
        yield client


def read(client: httpx.Client, url: str, body: dict[str, Any]) -> tuple[bytes, type[Exception] | None]:
    """What came of a response, and how it ended."""
    pieces: list[bytes] = []
    try:
        with client.stream("POST", url, json=body) as response:
            pieces.extend(response.iter_raw())
    except httpx.HTTPError as error:
        return b"".join(pieces), type(error)
    return b"".join(pieces), None


@pytest.mark.parametrize(
    ("scenario", "events", "ends"),
    [
        ("cut-head", 0, httpx.RemoteProtocolError),
        ("cut-after-0", 0, httpx.RemoteProtocolError),
        ("cut-after-3", 3, httpx.RemoteProtocolError),
        ("cut-inside-3", 3, httpx.RemoteProtocolError),
        ("end-after-3", 3, None),
        ("error-after-3", 4, None),
        ("hang", 0, httpx.ReadTimeout),
        ("hang-after-3", 3, httpx.ReadTimeout),
        ("slow-500", 0, httpx.ReadTimeout),
        ("slow-10", 12, None),
    ],
)
def test_it_ends_where_it_should(
    client: httpx.Client, fake: FakeOpenAI, scenario: str, events: int, ends: type[Exception] | None
) -> None:
    data, how = read(client, f"{fake.endpoint(scenario)}/responses", ASK)
    assert (data.count(b"\n\n"), how) == (events, ends)
    assert data.endswith(b"\n\n") or not data or scenario == "cut-inside-3"


@pytest.mark.parametrize(
    ("scenario", "ends"), [("cut-after-0", httpx.RemoteProtocolError), ("hang-after-0", httpx.ReadTimeout)]
)
def test_a_plain_answer_can_end_badly_too(
    client: httpx.Client, fake: FakeOpenAI, scenario: str, ends: type[Exception]
) -> None:
    data, how = read(client, f"{fake.endpoint(scenario)}/responses", {**ASK, "stream": False})
    assert (data[-1:] != b"}", how) == (True, ends)


def test_an_error_inside_a_200(client: httpx.Client, fake: FakeOpenAI) -> None:
    answer = client.post(f"{fake.endpoint('error-in-200')}/responses", json={**ASK, "stream": False})
    assert (answer.status_code, answer.json()["error"]["type"]) == (200, "server_error")


def test_the_forms_of_a_stream(client: httpx.Client, fake: FakeOpenAI) -> None:
    url = f"{fake.endpoint()}/responses"
    whole = read(client, url, ASK)[0]
    assert read(client, f"{fake.endpoint('bytewise')}/responses", ASK)[0] == whole
    assert read(client, f"{fake.endpoint('in-one')}/responses", ASK)[0] == whole
    assert read(client, f"{fake.endpoint('crlf')}/responses", ASK)[0] == whole.replace(b"\n", b"\r\n")
    assert read(client, f"{fake.endpoint('comments')}/responses", ASK)[0].startswith(b": PROCESSING\n\n")
    garbled = read(client, f"{fake.endpoint('garbled-after-1')}/responses", ASK)[0]
    assert [byte for byte, right in zip(garbled, whole, strict=True) if byte != right] == [0xFF]
    with client.stream("POST", f"{fake.endpoint('only-comments')}/responses", json=ASK) as response:
        assert next(response.iter_raw()) == b": PROCESSING\n\n"


def test_a_refusal_quotes_and_says_when_to_come_back(client: httpx.Client, fake: FakeOpenAI) -> None:
    answer = client.post(f"{fake.endpoint('status-429')}/responses", json=ASK)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "2")
    assert "Hello" in answer.json()["error"]["message"]
    endpoint = fake.endpoint(Scenario(refuse=503, code="mine", error={"param": "x"}, headers=("retry-after-ms: 5",)))
    answer = client.post(f"{endpoint}/responses", json=ASK)
    assert (answer.json()["error"]["code"], answer.json()["error"]["param"]) == ("mine", "x")
    assert answer.headers["retry-after-ms"] == "5"


def test_voyage_embeds_and_ranks(client: httpx.Client, voyage: FakeVoyage) -> None:
    embed = {"model": "voyage-4", "input": ["a", "b"], "input_type": "query", "output_dimension": 3}
    made = client.post(f"{voyage.endpoint()}/embeddings", json=embed).json()
    assert made["data"][1] == {"object": "embedding", "embedding": [1.0, 0.125, 0.25], "index": 1}
    assert made["usage"] == {"total_tokens": 10}
    rank = {"model": "rerank-3", "query": "q", "documents": ["a", "b"], "top_k": 1, "return_documents": True}
    made = client.post(f"{voyage.endpoint()}/rerank", json=rank).json()
    assert made["data"] == [{"index": 1, "relevance_score": 0.5, "document": "b"}]
    wrong = client.post(f"{voyage.endpoint()}/embeddings", json={**embed, "input_type": "search_query"})
    assert (wrong.status_code, list(wrong.json())) == (400, ["detail"])
