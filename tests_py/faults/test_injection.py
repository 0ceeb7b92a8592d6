"""Hostile text in every place where a caller can put text: nothing of it is ever code, and nothing of ours comes back.

Promises. SQL, CRLF, format strings, templates, paths, broken Unicode and tricks of JSON, in each header, path, query
parameter and body field of every route, good token or bad, against a real gateway and its database: no answer is a
5xx, each has the contract's shape, no header is one that the caller made, no token of ours is in an answer or a log,
PostgreSQL reports no error of class 22 (data) or 42 (syntax, rights), no job has failed, and nothing broke in front or
worker. What is no token of ours never causes a statement. `ONEVAULT_SOAK=1` asks every question in every place, more
than 15,000; without it the sharpest and every thirteenth of the others.

Mutants it catches: `_plain` in routes/usage.py that lets everything pass; metadata's NUL let pass in requests.py; a
malformed token looked up all the same in auth.py; a head's refusal without a shape in protocol.py.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

import pytest

from onevault.tokens import issue_token, make_reference
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.rawhttp import Answer, check_shape, read_answers, talk
from tests_py.support.template import STOCKED

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
SHARE = 1 if SOAK else 13
AT_ONCE = 16
SAY = [{"role": "user", "content": "hello"}]
UNKNOWN = issue_token(make_reference()).reveal()

TEXTS = [
    # SQL
    b"' or '1'='1", b"'; drop table gateway.api_request_h; --", b"') union select usename, passwd from pg_shadow --",
    b"1; select pg_sleep(10)--", b"$$;select 1/0;$$", b"\\'; select version() --", b"E'\\\\x27'", b"x') returning *;--",
    b"admin'/*", b"*/ or 1=1 /*", b"' || (select current_setting('onevault.master_key')) || '", b"%' escape '!'",
    b"::regclass", b"pg_catalog.pg_read_file('/etc/passwd')", b"$1", b"%s", b"%(name)s", b":name", b"?",
    b"\"quoted\".\"name\"", b"like_regex \"(a+)+$\"", b"$.**.key ? (@ == 1)", b"{1,2,NULL}", b"{{1},{2}}", b"[1,2)",
    # CRLF and headers
    b"a\r\nX-Injected: 1", b"a\nX-Injected: 1", b"a\rX-Injected: 1", b"a%0d%0aX-Injected:%201", b"\r\n\r\n<b>",
    b"a\xe5\x98\x8a\xe5\x98\x8dX-Injected: 1", b"a\\r\\nX-Injected: 1", b"\xc4\x8d\xc4\x8aX-Injected: 1",
    # NUL, controls, Unicode
    b"\0", b"a\0b", b"%00", b"\\u0000", b"\x01\x02\x1b[31m", b"\x7f", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xf0\x80\x80\xaf",
    b"\xed\xa0\x80", b"\xed\xa0\xbd\xed\xb8\x80", b"\xff\xfe", b"\xf4\x90\x80\x80", "\u202egnp.exe".encode(),
    "a\u200bb\u200dc\ufeff".encode(), "\ufb01 \uff53\uff45\uff4c \u212a".encode(), "\u0130\u0131\u017f\xdf".encode(),
    "A\u030a \u212b".encode(), "\U0001d54a\U0001d53c".encode(), "\uff07 or \uff071\uff07=\uff071".encode(),
    "\u2028\u2029".encode(), b"\xe9", "\U0001f4a5".encode() * 50,
    # format strings, templates, shells, paths
    b"%n%n%n%s", b"{0.__class__}", b"{__import__('os')}", b"{{7*7}}", b"${7*7}", b"#{7*7}", b"<%= 7*7 %>",
    b"${jndi:ldap://127.0.0.1:1/a}", b"`id`", b"$(id)", b"|id", b"; cat /etc/passwd", b"../../../../etc/passwd",
    b"..\\..\\windows\\win.ini", b"%2e%2e%2f%2e%2e%2fetc/passwd", b"..%c0%af..%c0%afetc", b"/etc/passwd%00.json",
    b"file:///etc/passwd", b"//127.0.0.1/", b"http://169.254.169.254/", b"<script>alert(1)</script>",
    b"\"><svg/onload=x>",
    # values that are too much
    b"", b" ", b"A" * 5000, b"-1", b"0", b"1e999", b"NaN", b"Infinity", b"9" * 400, b"-9223372036854775809", b"0x10",
    b"1_000", "١٢".encode(), b"infinity", b"2026-02-30", b"2026-13", b"0000-00", b"294277-01-01", b"4714-01-01 BC",
    b"epoch", b"now", b"today", b"2026-01-01T00:00:00+99:99", b"2026-01-01 00:00 Mars/Base", b"24:00", b"null", b"true",
]  # fmt: skip

VALUES = [
    "1e999", "-1e999", "NaN", "Infinity", "9" * 400, "-9223372036854775809", "1e-400", "0.1e1", "01", "1.", "-", "null",
    "true", "[]", "{}", '""', "[[[[]]]]", "[" * 63 + "]" * 63, "[" * 500 + "]" * 500, '{"a":' * 62 + "1" + "}" * 62,
    '"\\ud800"', '"\\udfff\\ud800"', '"\\u0000"', '"\\u2028"', '"\\ud83d\\ude00"', '{"a":1,"a":2}', '{"":1}',
    '{"__proto__":{"x":1}}', '{"$ref":"#"}', '{"\\u0000":"x"}', '{"a":"\\u0000"}', '{"\\ud800":"x"}', '"\\x27"', "'a'",
    "[1,]", "/*x*/1", "undefined", '"a\nb"', '"a\tb"', '"unterminated', "1" + "0" * 5000, '"' + "A" * 70_000 + '"',
    '[{"type":"text","text":"\\ud800"}]', '[{"type":"image_url","image_url":{"url":"file:///etc/passwd"}}]',
    '{"api_base":"http://127.0.0.1:1"}', '"2026-01-01"', '["a","b"]', '{"a":["b"]}', "-0", "-0.0", "1e308",
    "2147483648",
]  # fmt: skip

SHARP = (b"a\0b", b"\xed\xa0\x80", b"' or '1'='1", '"\\u0000"', '{"a":"\\u0000"}', '"\\ud800"')
"""What PostgreSQL would complain about if it came that far, and what everybody tries first."""

CHAT = (
    "model", "messages", "stream", "stream_options", "temperature", "top_p", "n", "max_tokens", "max_completion_tokens",
    "stop", "seed", "user", "tools", "tool_choice", "response_format", "metadata", "logprobs", "store", "priority",
    "type", "max_cost", "api_base", "base_url", "api_key", "organization", "extra_headers", "extra_body",
    "__proto__", "",
)  # fmt: skip
NATIVE = ("prompt", "type", "priority", "max_cost", "metadata", "model", "max_tokens", "messages", "stream")
DEEP = {
    "role": '{"messages":[{"role":%s,"content":"x"}]}',
    "content": '{"messages":[{"role":"user","content":%s}]}',
    "name": '{"messages":[{"role":"user","content":"x","name":%s}]}',
    "part": '{"messages":[{"role":"user","content":[{"type":%s,"text":"x"}]}]}',
    "tool": '{"messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":%s}}]}',
    "metadata value": '{"messages":[{"role":"user","content":"x"}],"metadata":{"a":%s}}',
    "metadata key": '{"messages":[{"role":"user","content":"x"}],"metadata":{%s:"a"}}',
    "key": '{"messages":[{"role":"user","content":"x"}],%s:1}',
    "whole": "%s",
}
HEADERS = (
    b"Authorization", b"X-Api-Key", b"Idempotency-Key", b"Host", b"User-Agent", b"X-Forwarded-For", b"X-Forwarded-Host",
    b"X-Request-Id", b"Content-Type", b"Content-Length", b"Accept", b"Cookie", b"Traceparent", b"Openai-Organization",
    b"X-Onevault-Provider", b"Content-Encoding", b"Expect", b"Transfer-Encoding", b"Connection", b"Via", b"Origin",
)  # fmt: skip
READS = (b"/v1/models", b"/v1/usage", b"/v1/billing")


class Question(NamedTuple):
    """Bytes to send and where the hostile part of them stands."""

    place: str
    data: bytes


def request(
    target: bytes, body: bytes | None = None, lines: bytes = b"", *, token: bytes | None = None, host: bool = True
) -> bytes:
    """A whole request on a connection of its own; `TOKEN` stands for a good token."""
    method = b"GET" if body is None else b"POST"
    head = [b"%b %b HTTP/1.1" % (method, target), b"Connection: close"]
    head += [b"Host: x"] * host
    if token is not None:
        head.append(b"Authorization: Bearer " + token)
    if body is not None and b"content-length:" not in lines.lower() and b"transfer-encoding:" not in lines.lower():
        head.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(head) + b"\r\n" + lines + b"\r\n" + (body or b"")


def ask_paths(text: bytes) -> Iterator[Question]:
    """In paths and queries: encoded, and as it is, which is mostly no HTTP any more."""
    for way, word in (("encoded", quote_from_bytes(text, safe="").encode()), ("raw", text)):
        yield Question(f"model {way}", request(b"/v1/models/" + word, token=b"TOKEN"))
        yield Question(f"period {way}", request(b"/v1/billing/" + word, token=b"TOKEN"))
        yield Question(f"path {way}", request(b"/v1/" + word, token=b"TOKEN"))
        yield Question(f"path, no token {way}", request(b"/" + word, b"{}"))
        for name in (b"from", b"to", b"group_by", b"limit", b"after", b"%00", b"customer"):
            yield Question(f"{name!r} {way}", request(b"/v1/usage?%b=%b" % (name, word), token=b"TOKEN"))
        yield Question(f"parameter {way}", request(b"/v1/usage?%b=1" % word, token=b"TOKEN"))
        yield Question(f"after, with a group {way}", request(b"/v1/usage?group_by=day&after=" + word, token=b"TOKEN"))


def ask_headers(text: bytes) -> Iterator[Question]:
    """In each header, of a route that reads and of one that calls; a token's text may be anything."""
    for name in HEADERS:
        line = b"%b: %b\r\n" % (name, text)
        token = None if name in (b"Authorization", b"X-Api-Key") else b"TOKEN"
        for target, body in ((b"/v1/models", None), (b"/v1/ai/completions", b'{"prompt":"x"}')):
            yield Question(f"{name!r} {target!r}", request(target, body, line, token=token, host=name != b"Host"))
    yield Question("header's name", request(b"/v1/models", None, b"%b: x\r\n" % text, token=b"TOKEN"))
    for token in (text, b"ov_" + text, UNKNOWN.encode()[:-1] + text, UNKNOWN.encode() + text):
        yield Question("bearer", request(b"/v1/chat/completions", b"{}", token=token))
        yield Question("bearer", request(b"/v1/usage", token=token))


def ask_bodies(value: bytes) -> Iterator[Question]:
    """As the value of each field, at the top and below; `value` is JSON, or meant to look like it."""
    for fields, route, base in (
        (CHAT, b"/v1/chat/completions", {"messages": SAY, "max_tokens": 5}),
        (NATIVE, b"/v1/ai/completions", {"prompt": "x", "max_tokens": 5}),
    ):
        for field in fields:
            kept: dict[str, Any] = {name: given for name, given in base.items() if name != field}
            if field == "messages":
                kept.pop("prompt", None)
            rest = json.dumps(kept).encode()[1:-1]
            whole = b"{%b%b%b:%b}" % (rest, b"," if rest else b"", json.dumps(field).encode(), value)
            yield Question(f"{route!r} {field}", request(route, whole, token=b"TOKEN"))
    for place, form in DEEP.items():
        whole = form.encode().replace(b"%s", value)
        yield Question(place, request(b"/v1/chat/completions", whole, token=b"TOKEN"))


def questions() -> list[Question]:
    """Every hostile part in every place; unless the soak is on, the sharpest and every thirteenth of the others."""
    sharp: list[Question] = []
    found: list[Question] = []
    for text in TEXTS:
        asked = sharp if text in SHARP else found
        asked += [*ask_paths(text), *ask_headers(text)]
        found += ask_bodies(b'"%b"' % text.replace(b"\\", b"\\\\").replace(b'"', b'\\"'))
    for value in VALUES:
        asked = sharp if value in SHARP else found
        asked += ask_bodies(value.encode())
    # A step that shares no factor with the number of places: each place meets a part of all texts.
    return sharp + found[::SHARE]


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A gateway that believes its caller's X-Forwarded-For, on a PostgreSQL that logs each error's SQLSTATE."""
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    database = cluster.clone(STOCKED)
    with cluster.maintenance() as connection:
        connection.execute("alter system set log_line_prefix = '%d %u <%e> '")
        connection.execute("select pg_catalog.pg_reload_conf()")
        environ = {"ONEVAULT_TRUSTED_PROXIES": "127.0.0.1", "ONEVAULT_BODY_TIMEOUT_SECONDS": "2"}
        gateway = Gateway(database, home, environ)
        gateway.start_worker()
        gateway.start_front()
        gateway.wait_until_ready()
        yield gateway
        gateway.stop()
        cluster.drop(database)
        connection.execute("alter system reset log_line_prefix")
        connection.execute("select pg_catalog.pg_reload_conf()")


async def put_all(gateway: Gateway, asked: list[Question]) -> list[tuple[Question, bytes]]:
    """Ask them all, a few at once; the answers as they came."""
    token = gateway.token.encode()
    turn = asyncio.Semaphore(AT_ONCE)

    async def ask(question: Question) -> tuple[Question, bytes]:
        async with turn:
            return question, await talk(gateway.port, question.data.replace(b"TOKEN", token), seconds=60)

    return await asyncio.gather(*(ask(question) for question in asked))


def check_answer(question: Question, raw: bytes, secrets: list[bytes]) -> None:
    label = f"{question.place}: {question.data[-300:]!r}"
    assert not any(secret in raw for secret in secrets), label
    try:
        answers = read_answers(raw)
        assert len(answers) >= 1, "no answer"
        for answer in answers:
            check_one(answer)
    except (AssertionError, ValueError, KeyError) as error:
        raise AssertionError(f"{label}\nwas answered {raw[:600]!r}: {error}") from error


def check_one(answer: Answer) -> None:
    assert answer.status < 500, "a 5xx"
    assert "x-injected" not in answer.headers
    assert answer.status in {200, 400, 401, 402, 404, 405, 408, 413, 414, 415, 421, 422, 429, 431}
    if answer.status >= 400:
        check_shape(answer)
    if answer.headers["content-type"].startswith("application/json"):
        answer.json()


@pytest.mark.timeout(1800 if SOAK else 120)
def test_nothing_that_is_said_is_code(gateway: Gateway, cluster: Cluster) -> None:
    asked = questions()
    assert len(asked) > (10_000 if SOAK else 900)
    places = {question.place for question in asked}
    assert len(places) > 100
    log = cluster.home / "logs" / "postgres.log"
    begun = log.stat().st_size
    secrets = [gateway.token.encode(), UNKNOWN.encode(), (gateway.home / "master.key").read_bytes().strip()]
    for question, raw in asyncio.run(put_all(gateway, asked)):
        check_answer(question, raw, secrets)
    with log.open("rb") as file:
        file.seek(begun)
        lines = file.read().decode(errors="replace").splitlines()
    wrong = [line for line in lines if re.search(r"<(22|42)\w{3}>", line)]
    assert not wrong, wrong[:5]
    assert (
        gateway.database.query("select j.job_name, j.last_error from ops.job as j where j.last_error is not null") == []
    )
    told = gateway.log()
    for sign in ("call_failed", "request_failed", "request_broke", "adapter_broke", "Traceback", "Exception in ASGI"):
        assert sign not in told, told[-3000:]
    assert gateway.token not in told
    # And the gateway is as well as before.
    good = request(b"/v1/ai/completions", b'{"prompt":"x"}', token=gateway.token.encode())
    (answer,) = read_answers(asyncio.run(talk(gateway.port, good)))
    assert answer.status == 200
    assert gateway.database.query("select count(*) from ops.dead_message") == [(0,)]


def junk_tokens() -> list[bytes]:
    """What cannot be a token of ours, though some of it looks much like one."""
    good = [issue_token(make_reference()).reveal() for _ in range(40)]
    found = [b"", b" ", b"x", b"ov_", b"OV_" + b"a" * 45, b"ov_" + b"a" * 45, b"sk-" + b"a" * 45, "ov_é".encode() * 20]
    for token in good:
        found += [
            token[:-1].encode(),  # cut
            (token + "0").encode(),
            (token[:-1] + ("0" if token[-1] != "0" else "1")).encode(),  # wrong checksum
            (token[:20] + ("0" if token[20] != "0" else "1") + token[21:]).encode(),  # its twin
            token.swapcase().encode(),
            token.replace("_", "-").encode(),
            b"ov_" + token.encode(),
            token[:30].encode() + b"\xff" + token[31:].encode(),
            token[:30].encode() + "\u0661".encode() + token[31:].encode(),
            token.encode() + b"," + token.encode(),
            b'"' + token.encode() + b'"',
        ]
    return found


def test_junk_never_reaches_the_database(gateway: Gateway) -> None:
    """2,000 calls with what is no token: the front's connections to PostgreSQL stay as they were."""
    junk = itertools.islice(itertools.cycle(junk_tokens()), 2000)
    targets = itertools.cycle([(b"/v1/usage", None), (b"/v1/chat/completions", b"{}"), (b"/v1/models", None)])
    asked = [
        request(target, body, b"%b%b\r\n" % (way, token)).replace(b"Connection: close\r\n", b"")
        for token, (target, body), way in zip(
            junk, targets, itertools.cycle([b"Authorization: Bearer ", b"X-Api-Key: "]), strict=False
        )
    ]
    end = request(b"/v1/none", b"")
    batches = [b"".join(asked[start : start + 10]) + end for start in range(0, len(asked), 10)]
    long = request(b"/v1/usage", None, b"Authorization: Bearer " + b"a" * 1_000_000 + b"\r\n")
    nul = request(b"/v1/usage", None, b"Authorization: Bearer a\0b\r\n")

    async def put() -> list[bytes]:
        turn = asyncio.Semaphore(8)

        async def one(data: bytes) -> bytes:
            async with turn:
                return await talk(gateway.port, data, seconds=60)

        return await asyncio.gather(*(one(data) for data in (*batches, long, nul)))

    statement = (
        "select a.pid, a.query_start, a.state_change from pg_catalog.pg_stat_activity as a "
        "where a.datname = current_database() and a.usename = 'onevault_app' order by a.pid"
    )
    before = gateway.database.query(statement)
    assert before
    *raws, said_long, said_nul = asyncio.run(put())
    assert gateway.database.query(statement) == before
    statuses = [answer.status for raw in raws for answer in read_answers(raw)]
    assert statuses.count(401) == 2000
    assert statuses.count(404) == len(batches) == len(statuses) - 2000
    assert [answer.status for raw in (said_long, said_nul) for answer in read_answers(raw)] == [431, 400]
