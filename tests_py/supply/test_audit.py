"""The audit finds what an advisory speaks of, in files and at a service, and says so when it could not look."""

from __future__ import annotations

import json
import socket
import threading
import zipfile
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from supply.advisories import Advisory, Affected, Event, Package, Range
from supply.audit import audit
from supply.lock import Locked

LOCK = {name: Locked(name, version, (), here=True) for name, version in [("some-part", "1.5"), ("other", "2.0")]}


def advisory(**changes: Any) -> dict[str, Any]:
    """An advisory about some-part 1.0 up to 2.0, in OSV's form."""
    affected = {
        "package": {"ecosystem": "PyPI", "name": "Some_Part"},
        "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "2.0"}]}],
    }
    return {"id": "TEST-2026-1", "aliases": ["CVE-0000-1"], "summary": "It leaks", "affected": [affected], **changes}


def speaks_of(version: str, *events: dict[str, str], listed: tuple[str, ...] = (), kind: str = "ECOSYSTEM") -> bool:
    affected = Affected(Package("part", "PyPI"), list(listed), [Range(kind, [Event(**event) for event in events])])
    return Advisory("TEST-1", affected=[affected]).affects("part", version)


@pytest.mark.parametrize(
    ("version", "events", "hit"),
    [
        ("1.5", [{"introduced": "0"}], True),
        ("0.0.1.dev1", [{"introduced": "0"}, {"fixed": "1"}], True),
        ("0.9", [{"introduced": "1.0"}, {"fixed": "2.0"}], False),
        ("1.0", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
        ("2.0", [{"introduced": "1.0"}, {"fixed": "2.0"}], False),
        ("2.0rc1", [{"introduced": "1.0"}, {"fixed": "2.0"}], True),
        ("1.10", [{"introduced": "1.9"}, {"fixed": "1.11"}], True),
        ("2.0", [{"introduced": "1.0"}, {"last_affected": "2.0"}], True),
        ("2.0.1", [{"introduced": "1.0"}, {"last_affected": "2.0"}], False),
        ("3.1", [{"introduced": "1.0"}, {"fixed": "2.0"}, {"introduced": "3.0"}, {"fixed": "3.2"}], True),
        ("2.5", [{"introduced": "3.0"}, {"fixed": "3.2"}, {"fixed": "2.0"}, {"introduced": "1.0"}], False),
    ],
)
def test_ranges_are_read_as_osv_says(version: str, events: list[dict[str, str]], *, hit: bool) -> None:
    assert speaks_of(version, *events) is hit


def test_listed_versions_count_beside_ranges() -> None:
    assert speaks_of("1.5.0", {"introduced": "9"}, listed=("1.5",))
    assert not speaks_of("1.6", {"introduced": "9"}, listed=("1.5",))
    assert not speaks_of("1.5", {"introduced": "0"}, kind="GIT")


@pytest.fixture(params=["folder", "zip"])
def keep(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., dict[str, str]]:
    """Put advisories where the audit reads them; gives the environment that says so."""

    def put(*advisories: dict[str, Any] | str) -> dict[str, str]:
        texts = {f"PyPI/{n}.json": a if isinstance(a, str) else json.dumps(a) for n, a in enumerate(advisories)}
        place = tmp_path / ("all.zip" if request.param == "zip" else "advisories")
        if request.param == "zip":
            with zipfile.ZipFile(place, "w") as archive:
                for name, text in texts.items():
                    archive.writestr(name, text)
        else:
            for name, text in texts.items():
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                (place / name).write_text(text)
            place.mkdir(exist_ok=True)
        return {"ADVISORIES": str(place)}

    return put


def test_an_advisory_of_a_file_is_found_and_says_the_remedy(keep: Callable[..., dict[str, str]]) -> None:
    lines, code = audit(LOCK, keep(advisory()))
    assert code == 1
    assert lines[0] == "some-part 1.5: TEST-2026-1, CVE-0000-1: It leaks (mended in 2.0)"


@pytest.mark.parametrize(
    "changes",
    [
        {"withdrawn": "2026-01-01T00:00:00Z"},
        {"affected": []},
        {"affected": [{"package": {"ecosystem": "npm", "name": "some-part"}, "versions": ["1.5"]}]},
        {"affected": [{"package": {"ecosystem": "PyPI", "name": "some-part"}, "versions": ["1.4"]}]},
    ],
)
def test_what_speaks_of_something_else_passes(keep: Callable[..., dict[str, str]], changes: dict[str, Any]) -> None:
    lines, code = audit(LOCK, keep(advisory(**changes)))
    assert (code, lines[0].startswith("No advisory speaks of the 2 locked")) == (0, True)


@pytest.mark.parametrize("held", [[], ["{broken"], ["[]"]])
def test_advisories_that_cannot_be_read_are_no_clean_bill(keep: Callable[..., dict[str, str]], held: list[str]) -> None:
    lines, code = audit(LOCK, keep(*held))
    assert (code, lines[0].startswith("Audit failed: ")) == (2, True)


def test_a_place_that_is_not_there_is_no_clean_bill(tmp_path: Path) -> None:
    assert audit(LOCK, {"ADVISORIES": str(tmp_path / "nothing")}).code == 2


class Service(BaseHTTPRequestHandler):
    """OSV's two routes: ids for each query, in two pages, and one advisory by id."""

    asked: list[dict[str, Any]]
    broken = False

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.asked.append(asked)
        results: list[dict[str, Any]] = []
        for query in asked["queries"]:
            hit = query["package"]["name"] == "some-part"
            if "page_token" in query:
                results.append({"vulns": [{"id": "TEST-2026-2"}]})
            else:
                found = {"vulns": [{"id": "TEST-2026-1", "modified": "x"}], "next_page_token": "more"}
                results.append(found if hit else {})
        self._answer({"results": results[: -1 if self.broken else None]})

    def do_GET(self) -> None:
        self._answer(advisory(id=self.path.rpartition("/")[2]))

    def _answer(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def service() -> Iterator[tuple[type[Service], dict[str, str]]]:
    handler = type("Running", (Service,), {"asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield handler, {"ADVISORY_SERVICE": f"http://127.0.0.1:{server.server_port}"}
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_service_is_asked_about_every_part_to_its_last_page(
    service: tuple[type[Service], dict[str, str]],
) -> None:
    handler, environ = service
    lines, code = audit(LOCK, environ)
    assert code == 1
    assert [line.split(":")[1].split(",")[0].strip() for line in lines[:2]] == ["TEST-2026-1", "TEST-2026-2"]
    named = [{(q["package"]["name"], q["version"]) for q in asked["queries"]} for asked in handler.asked]
    assert named == [{("some-part", "1.5"), ("other", "2.0")}, {("some-part", "1.5")}]


def test_a_service_without_findings_passes(service: tuple[type[Service], dict[str, str]]) -> None:
    assert audit({"other": LOCK["other"]}, service[1]).code == 0


def test_half_an_answer_is_no_answer(service: tuple[type[Service], dict[str, str]]) -> None:
    service[0].broken = True
    assert audit(LOCK, {**service[1], "AUDIT_REQUIRED": "1"}).code == 2


@pytest.mark.parametrize(("required", "code", "word"), [("", 0, "skipped"), ("1", 2, "failed")])
def test_without_the_service_it_is_skipped_unless_required(required: str, code: int, word: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    told = audit(LOCK, {"ADVISORY_SERVICE": f"http://127.0.0.1:{port}", "AUDIT_REQUIRED": required})
    assert told.code == code
    assert len(told.lines) == 1
    assert told.lines[0].startswith(f"Audit {word}: ")
