"""No request hides in another one: against a front, and behind the nginx that is shipped.

Promises. Each case puts a second, complete and paid request where only a server that reads the first one differently
would find it. Then: every byte that comes back is a whole response of the contract's shape, none is a 5xx, as many
requests were booked as the sender got answers for, other callers over the same proxy get their own answers, and the
front's refusals are those listed here. An answer that runs is never spoilt by what its sender sends next.

Mutants it catches: uvicorn's own protocol class in `front_config` (HTTP/0.9, trailers taken for headers, a 400 written
into a running answer, no Host); `chunked` no longer compared in heads.py; `_find_twice` that finds nothing; a refusal
said before the answers to earlier requests; trailers kept; framing not weighed; the pipeline without its limit; nginx
without its answer for 501 and 505.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.nginx import Nginx
from tests_py.support.rawhttp import Answer, check_shape, read_answers, talk
from tests_py.support.template import STOCKED

PATH = b"/v1/ai/completions"
PAID = b'{"prompt":"x"}'
BODY_SECONDS = "1.5"


class House(NamedTuple):
    """A gateway, and the shipped nginx before it."""

    gateway: Gateway
    nginx: Nginx

    def paid(self) -> int:
        """How many requests were routed so far."""
        ((count,),) = self.gateway.database.query("select count(*) from gateway.api_request_h")
        assert isinstance(count, int)
        return count


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    database = cluster.clone(STOCKED)
    gateway = Gateway(database, home, {"ONEVAULT_BODY_TIMEOUT_SECONDS": BODY_SECONDS})
    gateway.start_worker()
    gateway.start_front()
    gateway.wait_until_ready()
    nginx = Nginx(tmp_path_factory.mktemp("nginx"), gateway.port)
    nginx.start()
    yield House(gateway, nginx)
    nginx.stop()
    gateway.stop()
    cluster.drop(database)


def post(lines: bytes, body: bytes = b"", *, version: bytes = b"HTTP/1.1") -> bytes:
    """A request whose framing is the test's; `TOKEN` stands for a token."""
    return b"POST %b %b\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n%b\r\n%b" % (PATH, version, lines, body)


SECOND = post(b"Connection: close\r\nContent-Length: %d\r\n" % len(PAID), PAID)
"""What a smuggler wants to have executed."""

WHOLE = post(b"Content-Length: %d\r\n" % len(PAID), PAID)
LENGTH = b"Content-Length: %d\r\n" % len(PAID)
CHUNKS = b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAID), PAID)
CHUNKED = b"Transfer-Encoding: chunked\r\n"

LIST = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n%b\r\n"

REFUSED = {
    "CL.TE": post(b"Content-Length: 5\r\n" + CHUNKED, b"0\r\n\r\n"),
    "TE.CL": post(CHUNKED + b"Content-Length: 4\r\n", b"5c\r\n"),
    "TE.TE identity first": post(b"Transfer-Encoding: identity\r\n" + CHUNKED, CHUNKS),
    "TE.TE twice": post(CHUNKED + CHUNKED, CHUNKS),
    "TE list": post(b"Transfer-Encoding: identity, chunked\r\n", CHUNKS),
    "TE list after": post(b"Transfer-Encoding: chunked, identity\r\n", CHUNKS),
    "TE unknown": post(b"Transfer-Encoding: xchunked\r\n", CHUNKS),
    "TE quoted": post(b'Transfer-Encoding: "chunked"\r\n', CHUNKS),
    "TE gzip": post(b"Transfer-Encoding: gzip, chunked\r\n", CHUNKS),
    "TE vertical tab": post(b"Transfer-Encoding: \x0bchunked\r\n", CHUNKS),
    "TE folded": post(b"Transfer-Encoding:\r\n chunked\r\n", CHUNKS),
    "TE blank before colon": post(b"Transfer-Encoding : chunked\r\n", CHUNKS),
    "TE with CR": post(b"X: a\rTransfer-Encoding: chunked\r\n", CHUNKS),
    "TE empty": post(b"Transfer-Encoding:\r\n", CHUNKS),
    "TE in HTTP/1.0": post(CHUNKED, CHUNKS, version=b"HTTP/1.0"),
    "CL twice": post(b"Content-Length: 0\r\n" + LENGTH, PAID),
    "CL twice the same": post(LENGTH + LENGTH, PAID),
    "CL list": post(b"Content-Length: 14, 14\r\n", PAID),
    "CL plus": post(b"Content-Length: +14\r\n", PAID),
    "CL minus": post(b"Content-Length: -14\r\n", PAID),
    "CL hex": post(b"Content-Length: 0xe\r\n", PAID),
    "CL underscore": post(b"Content-Length: 1_4\r\n", PAID),
    "CL point": post(b"Content-Length: 14.0\r\n", PAID),
    "CL empty": post(b"Content-Length:\r\n", PAID),
    "CL beyond 64 bits": post(b"Content-Length: 18446744073709551630\r\n", PAID),
    "CL no-break space": post(b"Content-Length: 14\xa0\r\n", PAID),
    "CL folded": post(b"Content-Length:\r\n 14\r\n", PAID),
    "fold": post(b"X: a\r\n b\r\n" + LENGTH, PAID),
    "blank first": post(LENGTH, PAID).replace(b"\r\nHost", b"\r\n Host"),
    "blank before colon": post(b"X : a\r\n" + LENGTH, PAID),
    "NUL in value": post(b"X: a\0b\r\n" + LENGTH, PAID),
    "NUL in name": post(b"X\0: a\r\n" + LENGTH, PAID),
    "CR in value": post(b"X: a\rb\r\n" + LENGTH, PAID),
    "no colon": post(b"X\r\n" + LENGTH, PAID),
    "no name": post(b": a\r\n" + LENGTH, PAID),
    "no Host": post(LENGTH, PAID).replace(b"Host: x\r\n", b""),
    "Host twice": post(b"Host: y\r\n" + LENGTH, PAID),
    "Host with blanks": post(LENGTH, PAID).replace(b"Host: x", b"Host: x y"),
    "Host with path": post(LENGTH, PAID).replace(b"Host: x", b"Host: x/y"),
    "Host with user": post(LENGTH, PAID).replace(b"Host: x", b"Host: a@x"),
    "target elsewhere": post(LENGTH, PAID).replace(PATH, b"http://elsewhere" + PATH),
    "target no path": post(LENGTH, PAID).replace(PATH, b"x"),
    "CONNECT": b"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n",
    "Authorization twice": post(b"Authorization: Bearer x\r\n" + LENGTH, PAID),
    "upgrade with a body": post(b"Connection: upgrade\r\nUpgrade: h2c\r\n" + LENGTH, PAID),
    "HTTP/0.9": b"GET /healthz/live\r\n\r\n",
    "HTTP/2.0": post(LENGTH, PAID, version=b"HTTP/2.0"),
    "HTTP/1.10": post(LENGTH, PAID, version=b"HTTP/1.10"),
    "HTTP/2 preface": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "lower case": post(LENGTH, PAID).replace(b"POST", b"post"),
    "tab": post(LENGTH, PAID).replace(b"POST ", b"POST\t"),
    "chunk minus": post(CHUNKED, b"-e\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk 0x": post(CHUNKED, b"0xe\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk overflow": post(CHUNKED, b"1000000000000000e\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk blank": post(CHUNKED, b"e \r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk bare LF": post(CHUNKED, b"e\n" + PAID + b"\n0\n\n"),
    "chunk longer than said": post(CHUNKED, b"d\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk without size": post(CHUNKED, b"\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk extension with LF": post(CHUNKED, b"e;a\n" + PAID + b"\r\n0\r\n\r\n"),
    "chunk extensions without end": post(CHUNKED, b"e;" + b"a" * 1_000_000 + b"\r\n" + PAID + b"\r\n0\r\n\r\n"),
    "trailer without end": post(CHUNKED, CHUNKS[:-2] + b"X: " + b"a" * 1_000_000 + b"\r\n\r\n"),
    "bare LF": post(LENGTH, PAID).replace(b"\r\n", b"\n"),
    "bare LF in the head": post(b"X: a\n" + LENGTH, PAID),
}
"""What the front refuses with a 400; the second request must not run."""

WAITING = {
    "CL too long": post(b"Content-Length: 5000\r\n", PAID),
    "chunk too long": post(CHUNKED, b"5000\r\n" + PAID),
}
"""Here the second request is the first one's body, which never ends: 408."""

PASSED = {
    "pipelined": [WHOLE, SECOND],
    "chunked": [post(CHUNKED, CHUNKS), SECOND],
    "chunk extension": [post(CHUNKED, b"e;a=b\r\n" + PAID + b"\r\n0;c\r\n\r\n"), SECOND],
    "leading zeros": [post(b"Content-Length: 0000014\r\n", PAID), SECOND],
    "blank lines before": [b"\r\n\r\n" + WHOLE, SECOND],
    "same host in target": [WHOLE.replace(PATH, b"http://x" + PATH), SECOND],
}
"""Two requests that are two requests: two answers."""

ONE = {
    "HTTP/1.0": [post(LENGTH + b"Connection: keep-alive\r\n", PAID, version=b"HTTP/1.0"), SECOND],
    "upgrade": [LIST % b"Connection: upgrade\r\nUpgrade: websocket\r\n", SECOND],
    "h2c": [LIST % b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n", SECOND],
    "closed": [SECOND, SECOND],
}
"""One answer, then the connection ends: what follows is not read."""


def filled(house: House, data: bytes) -> bytes:
    return data.replace(b"TOKEN", house.gateway.token.encode())


async def attack(house: House, port: int, name: str, *pieces: bytes) -> tuple[str, list[Answer]]:
    raw = await talk(port, *(filled(house, piece) for piece in pieces))
    try:
        return name, read_answers(raw)
    except AssertionError as error:
        raise AssertionError(f"{name}: {error}") from error


def check_answers(name: str, answers: list[Answer]) -> int:
    """Every answer has its shape and none is a 5xx; how many of them were paid for."""
    for answer in answers:
        assert answer.status < 500, (name, answer)
        if answer.status != 200:
            check_shape(answer)
    return sum(answer.status == 200 and "cost" in answer.json().get("onevault", {}) for answer in answers)


async def test_a_front_refuses_each_and_runs_nothing_that_was_hidden(house: House) -> None:
    before = house.paid()
    port = house.gateway.port
    attacks = [attack(house, port, name, first + SECOND) for name, first in (REFUSED | WAITING).items()]
    for name, answers in await asyncio.gather(*attacks):
        check_answers(name, answers)
        wanted = 408 if name in WAITING else 400
        assert [answer.status for answer in answers] == [wanted], (name, answers)
    assert house.paid() == before


async def test_a_front_answers_two_requests_as_two(house: House) -> None:
    before, paid = house.paid(), 0
    port = house.gateway.port
    for cases, count in ((PASSED, 2), (ONE, 1)):
        for split in (False, True):
            attacks = [
                attack(house, port, name, *(both if split else [b"".join(both)])) for name, both in cases.items()
            ]
            for name, answers in await asyncio.gather(*attacks):
                assert [answer.status for answer in answers] == [200] * count, (name, split, answers)
                paid += check_answers(name, answers)
    assert house.paid() == before + paid == before + 2 * (2 * len(PASSED) + 2)


async def test_what_trails_a_body_is_no_header(house: House) -> None:
    """A trailer can neither authorise its request nor the next one on the connection."""
    nobody = b"POST %b HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" % PATH
    trailed = nobody + CHUNKS[:-2] + b"Authorization: Bearer TOKEN\r\nX-Api-Key: TOKEN\r\n\r\n"
    plain = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    for pieces in ([trailed + plain], [nobody, trailed[len(nobody) :], plain]):
        _, answers = await attack(house, house.gateway.port, "trailer", *pieces)
        assert [answer.status for answer in answers] == [401, 401], answers


async def test_answers_come_in_the_order_of_their_requests(house: House) -> None:
    """Quick and slow ones mixed, in one piece; a malformed one at the end is answered last, never within another."""
    live = b"GET /healthz/live HTTP/1.1\r\nHost: x\r\n\r\n"
    lost = b"GET /v1/models/none HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer TOKEN\r\n\r\n"
    junk = b"GET /v1/models HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer junk\r\n\r\n"
    stream = b'{"prompt":"x","stream":true}'
    slow = post(b"Content-Length: %d\r\n" % len(stream), stream)
    whole = [WHOLE, live, lost, slow, junk, live, WHOLE]
    expected = [200, 200, 404, 200, 401, 200, 200]
    for end, statuses in ((SECOND, [200]), (b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n" + SECOND, [400])):
        _, answers = await attack(house, house.gateway.port, "order", b"".join(whole) + end)
        assert [answer.status for answer in answers] == expected + statuses
        assert answers[1].json() == {"status": "live"}
        assert answers[3].body.endswith(b"data: [DONE]\n\n")


async def test_requests_that_wait_on_a_connection_are_counted(house: House) -> None:
    before = house.paid()
    _, answers = await attack(house, house.gateway.port, "flood", WHOLE * 100)
    statuses = [answer.status for answer in answers]
    assert statuses == [200] * (len(statuses) - 1) + [400], statuses
    assert len(statuses) < 30
    assert house.paid() == before + len(statuses) - 1


@pytest.mark.parametrize("name", ["upgrade", "h2c", "fold", "Host twice", "chunk minus", "HTTP/2.0"])
async def test_after_the_last_answer_nothing_is_heard(house: House, name: str) -> None:
    """Also when it comes later, once the sender has read that the connection is over."""
    before = house.paid()
    first = ONE[name][0] if name in ONE else REFUSED[name]
    reader, writer = await asyncio.open_connection("127.0.0.1", house.gateway.port)
    writer.write(filled(house, first))
    async with asyncio.timeout(30):
        head = await reader.readuntil(b"\r\n\r\n")
        rest = b""
        with contextlib.suppress(ConnectionError):
            writer.write(filled(house, SECOND))
            await writer.drain()
            rest = await reader.read()
    writer.close()
    assert b"connection: close" in head
    assert b"HTTP/1.1 " not in rest
    assert house.paid() == before


async def test_behind_nginx_everybody_gets_his_own_answer(house: House) -> None:
    """All cases at once over nginx's shared connections to the front, among callers who did nothing wrong."""
    before = house.paid()
    port = house.nginx.port
    cases = {name: first + SECOND for name, first in (REFUSED | WAITING).items()}
    del cases["HTTP/0.9"]  # nginx speaks it: its answer has no head
    cases |= {name: b"".join(both) for name, both in (PASSED | ONE).items()}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False) as client:

        async def call_well(number: int) -> httpx.Response:
            headers = {"authorization": f"Bearer {house.gateway.token}"}
            if number % 2:
                return await client.get(f"/v1/models/none-{number}", headers=headers)
            return await client.post(PATH.decode(), content=PAID, headers=headers)

        bad, good = await asyncio.gather(
            asyncio.gather(*(attack(house, port, name, data) for name, data in cases.items())),
            asyncio.gather(*(call_well(number) for number in range(60))),
        )
        after = [await call_well(number) for number in range(20)]
    paid = sum(check_answers(name, answers) for name, answers in bad)
    for number, response in [*enumerate(good), *enumerate(after)]:
        assert response.status_code == (404 if number % 2 else 200), response.text
        paid += response.is_success
    ids = [response.headers["x-onevault-request-id"] for response in (*good, *after)]
    assert len(set(ids)) == len(ids)
    assert house.paid() == before + paid, "something ran that nobody was answered for"
    assert "call_failed" not in house.gateway.log()


def test_what_is_refused_is_counted(house: House) -> None:
    def count() -> float:
        text = httpx.get(f"{house.gateway.url}/metrics", trust_env=False).text
        found = [line for line in text.splitlines() if line.startswith('onevault_front_refused_total{status="400"}')]
        return sum(float(line.split(" ")[1]) for line in found)

    before = count()
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", house.gateway.port)) as line:
            line.sendall(b"GET /healthz/live HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n")
            assert line.recv(4096).startswith(b"HTTP/1.1 400 ")
    assert count() == before + 3
