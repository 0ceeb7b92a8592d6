"""A front and a worker on two hosts: calls pass, and a cable that is pulled is noticed on both sides."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests_py.conftest import StartGateway
from tests_py.support.certificates import Certificates
from tests_py.support.gateway import Gateway, Process
from tests_py.support.hosts import FRONT, Hosts, missing

_MISSING = missing()
pytestmark = pytest.mark.skipif(bool(_MISSING), reason=_MISSING or "nothing is missing")


@pytest.fixture
def hosts() -> Iterator[Hosts]:
    made = Hosts()
    yield made
    made.close()


@pytest.fixture
def gateway(hosts: Hosts, start_gateway: StartGateway, tmp_path: Path) -> Gateway:
    """A front on one host and a worker on the other; customers come in by a socket of this one."""
    certificates = Certificates(tmp_path / "link", (FRONT,))
    gateway = start_gateway(
        fronts=0,
        workers=0,
        ONEVAULT_LINK_LISTEN="0.0.0.0:7443",
        ONEVAULT_LINK_ADVERTISE=FRONT,
        ONEVAULT_LINK_TLS_DIR=str(certificates.home),
        ONEVAULT_SANDBOX_OUTPUT_TOKENS="100000",
        ONEVAULT_SANDBOX_TOKENS_PER_SECOND="20",
    )
    door = gateway._listener.fileno()
    fd = str(door)
    log = gateway._log
    gateway.fronts.append(Process("front", ["serve", "--fd", fd], gateway.environ, log, door, prefix=hosts.on("front")))
    gateway.workers.append(Process("worker", ["work"], gateway.environ, log, None, prefix=hosts.on("worker")))
    gateway.wait_until_ready()
    return gateway


def request(gateway: Gateway, *, stream: bool = False, max_tokens: int = 10) -> httpx.Request:
    body = {"model": "sandbox-small", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": max_tokens}
    headers = {"authorization": f"Bearer {gateway.token}"}
    return httpx.Request(
        "POST", f"{gateway.url}/v1/chat/completions", json={**body, "stream": stream}, headers=headers,
        extensions={"timeout": {"connect": 60, "read": 60, "write": 60, "pool": 60}},
    )  # fmt: skip


def wait(gateway: Gateway, event: str) -> None:
    """Until this event stands in the log."""
    deadline = time.monotonic() + 60
    while f'"{event}"' not in gateway.log():
        assert time.monotonic() < deadline, gateway.log()[-4000:]
        time.sleep(0.05)


def test_calls_pass_and_a_pulled_cable_is_noticed(gateway: Gateway, hosts: Hosts) -> None:
    with httpx.Client() as client:
        answer = client.send(request(gateway))
        assert answer.status_code == 200, answer.text
        assert client.send(request(gateway, stream=True)).text.endswith("data: [DONE]\n\n")

        streamed: list[str] = []

        def listen() -> None:
            with httpx.Client() as other:
                response = other.send(request(gateway, stream=True, max_tokens=5000), stream=True)
                streamed.extend(response.iter_text())
                response.close()

        listening = threading.Thread(target=listen)
        listening.start()
        deadline = time.monotonic() + 60
        while len(streamed) < 10:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        hosts.pull_cable()
        listening.join(60)
        assert not listening.is_alive(), "the customer is told, long before the deadline"
        last = "".join(streamed).strip().split("\n\n")[-1]
        assert json.loads(last.removeprefix("data: "))["error"]["code"] == "provider_error"
        wait(gateway, "worker_silent")
        wait(gateway, "front_silent")

        hosts.plug_in_cable()
        answer = client.send(request(gateway))
        assert answer.status_code == 200, answer.text
    statement = (
        "select s.response_status, count(*) from gateway.api_request_s as s group by s.response_status order by 1"
    )
    deadline = time.monotonic() + 60
    while len(gateway.database.query(statement)) < 2:
        assert time.monotonic() < deadline, gateway.log()[-4000:]
        time.sleep(0.1)
    assert gateway.database.query(statement) == [("CANCELLED", 1), ("SUCCESS", 3)]
