"""Whatever a library or Python itself writes by the way: a real process, and a canary in each of its words."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

from tests_py.support.cluster import ClonedDatabase

CANARY = "canary-93be"
_BEGIN = f"""
import asyncio, gc, logging, os, sys, threading, warnings
from onevault.log import configure_logging
configure_logging("debug", "front")
C = {CANARY!r}
"""
_FAIL = """
class Loud(Exception):
    def __str__(self): return C
    __repr__ = __str__
def fail(): raise Loud(C)
"""
# What is done → log and event of the line that tells of it.
HOLES: dict[str, tuple[str, tuple[str, str]]] = {
    "a warning": ("warnings.warn(C)", ("py.warnings", "library")),
    "an exception nobody caught": ("fail()", ("python", "exception_not_caught")),
    "an exception in a thread": (
        "t = threading.Thread(target=fail, name=C); t.start(); t.join()",
        ("python", "exception_in_thread"),
    ),
    "an exception in a destructor": (
        "class D:\n    def __del__(self): fail()\n    def __repr__(self): return C\nd = D(); del d; gc.collect()",
        ("python", "exception_in_destructor"),
    ),
    "an exception as the interpreter ends": (
        "import atexit; atexit.register(fail)",
        ("python", "exception_in_destructor"),
    ),
    "a task that nobody awaited": (
        (
            "async def m():\n    t = asyncio.create_task(asyncio.to_thread(fail), name=C)\n"
            "    await asyncio.wait({t})\n    del t; gc.collect()\nasyncio.run(m())"
        ),
        ("asyncio", "library"),
    ),
    "a loop's exception handler": (
        "async def m(): asyncio.get_running_loop().call_soon(fail); await asyncio.sleep(0.01)\nasyncio.run(m())",
        ("asyncio", "library"),
    ),
    "uvloop's exception handler": (
        (
            "import uvloop\nasync def m():\n    asyncio.get_running_loop().call_exception_handler("
            "{'message': C, 'exception': Loud(C), 'context': C})\nuvloop.run(m())"
        ),
        ("asyncio", "library"),
    ),
    "a slow step of the loop": (
        (
            "async def m():\n    asyncio.get_running_loop().slow_callback_duration = 0\n    await asyncio.sleep(0, C)\n"
            "asyncio.run(m(), debug=True)"
        ),
        ("asyncio", "library"),
    ),
    "uvicorn's words about an application": (
        (
            "logging.getLogger('uvicorn.error').error('Traceback: %s', C)\n"
            "logging.getLogger('uvicorn.error').error('Traceback: ' + C)"
        ),
        ("uvicorn.error", "library"),
    ),
    "uvicorn's words about an exception": (
        (
            "try: fail()\nexcept Loud as e:\n"
            "    logging.getLogger('uvicorn.error').error('Exception in ASGI application\\n', exc_info=e)"
        ),
        ("uvicorn.error", "library"),
    ),
    "aiohttp's words": (
        "logging.getLogger('aiohttp.client').warning('%s', C); logging.getLogger('aiohttp.internal').error(C)",
        ("aiohttp.client", "library"),
    ),
    "a record that cannot be written": (
        "logging.getLogger('x').error(C, 1, 2); logging.getLogger('onevault.x').error(Loud(C), extra={'onevault': 1})",
        ("x", "library"),
    ),
    "an event that is no name": ("from onevault.log import get_log; get_log('x').error(Loud(C))", ("x", "unnamed")),
}


def written_by(script: str, *arguments: str) -> tuple[int, str, list[dict[str, Any]]]:
    result = subprocess.run(
        [sys.executable, "-c", _BEGIN + _FAIL + script, *arguments], capture_output=True, text=True, timeout=60
    )
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    return result.returncode, result.stdout + result.stderr, lines


@pytest.mark.parametrize("hole", HOLES)
def test_what_is_said_by_the_way_is_told_without_its_words(hole: str) -> None:
    script, told = HOLES[hole]
    code, text, lines = written_by(script)
    assert CANARY not in text
    assert told in [(line["log"], line["event"]) for line in lines]
    assert code == (1 if hole == "an exception nobody caught" else 0)


def test_a_notice_of_the_database_is_not_written(database: ClonedDatabase) -> None:
    script = (
        "import psycopg\n"
        "with psycopg.connect(sys.argv[1]) as c:\n"
        '    c.execute("do $$ begin raise warning \'" + C + "\'; end $$")\n'
        "    try: c.execute('select %s::int', (C,))\n"
        "    except psycopg.Error as e: logging.getLogger('psycopg').warning('error: %s', e)\n"
        "    fail()\n"
    )
    code, text, lines = written_by(script, database.dsn())
    assert code == 1
    assert CANARY not in text
    assert [(line["log"], line["event"]) for line in lines] == [
        ("psycopg", "library"),
        ("python", "exception_not_caught"),
    ]


def test_a_command_that_breaks_shows_no_data(database: ClonedDatabase, tmp_path: Any) -> None:
    """The real command line: an exception that it does not expect, with a secret in its text."""
    script = (
        "import onevault.cli.keys as k\n"
        f"def broken(*_): raise RuntimeError({CANARY!r})\n"
        "k.load_keyring = broken\n"
        "import sys; sys.argv = ['onevault', 'keys', 'status']\n"
        "from onevault.cli import main; main()\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script], env=database.environ(tmp_path), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 1
    assert CANARY not in result.stdout + result.stderr
    assert "exception_not_caught" in result.stderr


def test_an_application_that_cannot_start_shows_no_data(tmp_path: Any) -> None:
    """litestar hands uvicorn the whole traceback of a failed start; uvicorn logs it as an error of its own."""
    script = (
        "import uvicorn\nfrom litestar import Litestar\n"
        "async def start(): fail()\n"
        "app = Litestar(on_startup=[start], openapi_config=None, logging_config=None)\n"
        "uvicorn.run(app, port=0, log_config=None, lifespan='on')\n"
    )
    code, text, lines = written_by(script)
    assert code == 3
    assert CANARY not in text
    assert {line["log"] for line in lines} == {"uvicorn.error"}
    assert "Application startup failed. Exiting." in [line.get("message") for line in lines]
