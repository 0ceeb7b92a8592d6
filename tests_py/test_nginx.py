"""docker/nginx.conf: nginx itself, started in front of a provider that stands in for the front."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bench.provider import running_provider
from litestar_app.errors import Overloaded, Shape, UnknownRoute, error_body
from tests_py.support.compose import run
from tests_py.support.nginx import Nginx


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx before a front that answers streams of 20 events, 20 ms apart."""
    with running_provider(gap_us=20_000) as provider:
        started = Nginx(tmp_path_factory.mktemp("nginx"), provider.port)
        started.start()
        yield started
        started.stop()


@pytest.fixture
def nginx_alone(tmp_path: Path) -> Iterator[Nginx]:
    """Nginx before a front that is not there."""
    started = Nginx(tmp_path, 1)
    started.start()
    yield started
    started.stop()


def test_nginx_takes_its_configuration(nginx: Nginx) -> None:
    result = run(*nginx.command, "-t", env=nginx.tool.environment)
    assert "test is successful" in result.stderr, result.stderr
    assert "warn" not in result.stderr


def test_nginx_passes_events_on_as_they_come(nginx: Nginx) -> None:
    with httpx.stream("POST", nginx.url("/v1/chat/completions"), json={"stream": True}) as response:
        arrivals = [time.monotonic() for line in response.iter_lines() if line.startswith("data: ")]
    assert len(arrivals) == 23
    assert arrivals[-1] - arrivals[0] > 0.3, "the events came together"


def test_nginx_hands_long_bodies_over_and_refuses_longer_ones(nginx: Nginx) -> None:
    fits = httpx.post(nginx.url("/v1/chat/completions"), content=b" " * (10 * 1024 * 1024), timeout=20)
    assert fits.status_code == 200
    response = httpx.post(nginx.url("/v1/chat/completions"), content=b" " * (10 * 1024 * 1024 + 1), timeout=20)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


def test_nginx_refuses_what_is_malformed_in_our_words(nginx: Nginx) -> None:
    response = httpx.get(nginx.url("/v1/models"), headers={"x-long": "a" * 20_000})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/metrics%2f", "/%6detrics", "/v1/../metrics"])
def test_nginx_shows_nobody_the_figures(nginx: Nginx, path: str) -> None:
    response = httpx.get(nginx.url(path))
    assert response.status_code == 404
    assert response.json() == json.loads(error_body(UnknownRoute(), "openai"))


@pytest.mark.parametrize("sent", [b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b"GET / HT"])
def test_nginx_hangs_up_on_whoever_sends_too_slowly(nginx: Nginx, sent: bytes) -> None:
    async def talk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", nginx.port)
        writer.write(sent)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), timeout=10)
        writer.close()

    asyncio.run(talk())


@pytest.mark.parametrize(("path", "shape"), [("/v1/chat/completions", "openai"), ("/v1/messages", "anthropic")])
def test_without_a_front_nginx_says_overloaded_as_the_front_would(nginx_alone: Nginx, path: str, shape: Shape) -> None:
    response = httpx.post(nginx_alone.url(path), json={})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json() == json.loads(error_body(Overloaded(), shape))
