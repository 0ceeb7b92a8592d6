"""Providers that mean harm, against a real worker process: each ends in its class, and costs little.

Mutants they catch: `_unpack` that stops at the first member's end, or that unpacks a piece without a limit; encodings
let pass; packed bytes not counted; aiohttp's own handler of connections; a transport that follows redirects or takes
headers of the caller along; a provider's headers passed on.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests_py.providers import wire
from tests_py.providers.fake import FakeProvider
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED
from tests_py.worker.stage import Stage
from worker.providers.base import CallFailed
from worker.providers.wire import read_pieces

GROWTH = 100 << 20
LINUX = sys.platform == "linux"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    database = cluster.clone(STOCKED)
    # Each is asked once: what is tested is what its first answer is taken for.
    gateway = Gateway(database, home, {"ONEVAULT_RETRY_PATIENCE_SECONDS": "0"})
    gateway.start_worker()
    gateway.start_front()
    gateway.wait_until_ready()
    opened = Stage(gateway)
    yield opened
    opened.close()
    gateway.stop()
    cluster.drop(database)


def put_up(stage: Stage, fake: FakeProvider, behaviour: str, *, patience_ms: int = 10_000) -> str:
    """A provider of a model of its own name, and that name."""
    name = behaviour
    stage.provider(name, fake.endpoint(behaviour), model=f"m-{name}")
    with stage.gateway.database.connect() as connection:
        connection.execute(
            "update admin.provider set first_byte_timeout_ms = %s where provider = %s", (patience_ms, name)
        )
    return f"m-{name}"


def peak(pid: int) -> int:
    """The most memory a process had since its peak was reset, in bytes."""
    (line,) = [line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmHWM")]
    return int(line.split()[1]) * 1024


@pytest.mark.parametrize("behaviour", ["zipped-twice", "deflated"])
def test_what_is_packed_as_http_allows_is_read(stage: Stage, fake: FakeProvider, behaviour: str) -> None:
    response = stage.ask(model=put_up(stage, fake, behaviour))
    assert response.status_code == 200, response.text
    assert response.json()["choices"][0]["message"]["content"] == fake.text


@pytest.mark.parametrize(
    ("behaviour", "error_class"),
    [
        ("zipped-short", "truncated_stream"),
        ("brotli", "server_error"),
        ("zstd", "server_error"),
        ("zipped-over", "server_error"),
        ("big-bomb-1024", "server_error"),
        ("many-bombs-1024", "server_error"),
        ("bomb-in-error-256", "server_error"),
        ("endless-nothing", "server_error"),
        ("endless-line streamed", "server_error"),
        ("big-bomb-1024 streamed", "server_error"),
        ("chunk-garbage streamed", "truncated_stream"),
        ("endless-head", "server_error"),
        ("long-header", "server_error"),
        ("long-status", "server_error"),
        ("endless-hints", "timeout"),
        ("drip-20", "timeout"),
        ("chunk-garbage", "truncated_stream"),
        ("lying-length", "server_error"),
    ],
)
def test_each_ends_in_its_class(stage: Stage, fake: FakeProvider, behaviour: str, error_class: str) -> None:
    behaviour, _, way = behaviour.partition(" ")
    streamed = way == "streamed"
    # A plain answer gets five times as long to begin.
    patience = 300 if error_class == "timeout" else 10_000
    model = f"m-{behaviour}"
    if not stage.query("select 1 from admin.model where model = %s", model):
        put_up(stage, fake, behaviour, patience_ms=patience)
    worker = stage.gateway.workers[0].pid
    before = psutil.Process(worker).memory_info().rss
    if LINUX:  # from here on the kernel counts the peak anew
        Path(f"/proc/{worker}/clear_refs").write_text("5")
    response = stage.ask(timeout=100, model=model, stream=streamed)
    grown = peak(worker) - before if LINUX else 0
    assert response.status_code in (502, 504), response.text
    attempts = response.json()["error"]["attempts"]
    assert [attempt["class"] for attempt in attempts] == [error_class], response.text
    assert grown < GROWTH, f"{grown >> 20} MB"
    stage.wait(stage.is_settled)
    assert stage.query("select 1 from ops.scope_state as s where s.day_held_usd <> 0 or s.month_held_usd <> 0") == []


async def test_no_more_is_unpacked_than_is_looked_at() -> None:
    """A piece of 1 MB that unpacks to 1 GB comes in small pieces, and no more of them than the limit allows."""

    class OnePiece(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield wire.gzip(b" " * (16 << 20)) * 64

    response = httpx.Response(200, headers={"content-encoding": "gzip"}, stream=OnePiece())
    sizes = []
    with pytest.raises(CallFailed):
        async for piece in read_pieces(response, 32 << 20):
            sizes.append(len(piece))  # noqa: PERF401 - what came before the failure is what counts
    assert max(sizes) <= 256 << 10
    assert sum(sizes) <= 32 << 20


def test_nobody_but_the_operator_says_where_a_call_goes_and_with_which_headers(
    stage: Stage, fake: FakeProvider
) -> None:
    model = put_up(stage, fake, "ok")
    request = {"model": model, "messages": [{"role": "user", "content": "x"}], "max_tokens": 5}
    url = f"{stage.gateway.url}/v1/chat/completions"
    with socket.create_server(("127.0.0.1", 0)) as trap:
        base = f"http://127.0.0.1:{trap.getsockname()[1]}/v1"
        wishes = {
            name: value
            for value in (base,)
            for name in ("api_base", "base_url", "endpoint", "api_endpoint", "azure_endpoint", "proxy", "webhook_url")
        }
        wishes |= {"api_key": "sk-mine", "organization": "mine", "provider": "mine", "custom_llm_provider": "openai"}
        headers = {
            "authorization": f"Bearer {stage.token}",
            "openai-organization": "mine",
            "openai-beta": "x",
            "x-forwarded-host": "127.0.0.1",
            "x-forwarded-proto": "https",
            "x-forwarded-for": "10.0.0.1",
            "forwarded": "for=10.0.0.1",
            "x-api-key": "sk-mine",
            "x-goog-api-key": "sk-mine",
            "api-key": "sk-mine",
            "cookie": "a=b",
            "traceparent": "00-1-2-3",
            "user-agent": "evil\u00e9",
            "accept": "text/html",
            "accept-encoding": "gzip, br",
            "x-onevault-provider": "mine",
            "proxy-authorization": "Basic x",
            "te": "trailers",
        }
        plain = httpx.post(url, json=request, headers={"authorization": f"Bearer {stage.token}"}, trust_env=False)
        hostile = httpx.post(
            url,
            json={**request, **wishes, "extra_headers": {"x-evil": "1"}, "extra_query": {"a": base}},
            headers={name.encode(): value.encode("latin-1") for name, value in headers.items()},
            trust_env=False,
        )
        assert (plain.status_code, hostile.status_code) == (200, 200), (plain.text, hostile.text)
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()
    first, second = fake.seen[-2:]
    for seen in (first, second):
        seen.headers.pop("content-length")
    assert first.headers == second.headers
    assert set(first.headers) == {"host", "content-type", "accept", "accept-encoding", "user-agent"}
    assert (second.path, second.behaviour) == (first.path, "ok")


def test_a_redirect_is_not_followed(stage: Stage, fake: FakeProvider) -> None:
    with socket.create_server(("127.0.0.1", 0)) as trap:
        response = stage.ask(model=put_up(stage, fake, f"elsewhere-{trap.getsockname()[1]}"))
        assert response.status_code == 502
        trap.settimeout(0)
        with pytest.raises(BlockingIOError):
            trap.accept()


@pytest.mark.parametrize("streamed", [False, True])
def test_a_providers_headers_are_not_the_customers(stage: Stage, fake: FakeProvider, *, streamed: bool) -> None:
    model = "m-split-head" if streamed else put_up(stage, fake, "split-head")
    response = stage.ask(model=model, stream=streamed)
    for name in ("set-cookie", "x-injected", "location"):
        assert name not in response.headers
    assert "html" not in response.headers["content-type"]
    assert response.headers["x-onevault-cost"] != "0" or streamed
