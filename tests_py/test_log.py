"""Log lines hold fields of the list, and never the text of an exception."""

from __future__ import annotations

import io
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from onevault.log import configure_logging, get_log

CANARY = "canary-4f1d"


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before = (root.handlers[:], root.level)
    hooks = (sys.excepthook, threading.excepthook, sys.unraisablehook)
    stream = io.StringIO()
    configure_logging("debug", "front", stream)
    yield stream
    root.handlers[:], _ = before
    root.setLevel(before[1])
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    logging.captureWarnings(False)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_a_line_of_json(stream: io.StringIO) -> None:
    get_log("front.link").info("worker_linked", pid=17, queue="gateway_standard")
    (line,) = lines(stream)
    assert line["event"] == "worker_linked"
    assert (line["service"], line["log"], line["level"]) == ("front", "front.link", "info")
    assert (line["pid"], line["queue"]) == (17, "gateway_standard")


def test_an_unknown_field_is_left_out_and_counted(stream: io.StringIO) -> None:
    get_log("front").info("answered", prompt=CANARY, body=CANARY, http_status=200)
    (line,) = lines(stream)
    assert (line["http_status"], line["fields_left_out"]) == (200, 2)
    assert CANARY not in stream.getvalue()


def test_a_long_or_unprintable_text_is_cut(stream: io.StringIO) -> None:
    get_log("front").info("answered", reason="a\nb" + "c" * 1000)
    (line,) = lines(stream)
    assert line["reason"].startswith("a bccc")
    assert len(line["reason"]) < 250


def test_an_event_made_of_data_is_not_written(stream: io.StringIO) -> None:
    get_log("front").info(f"cannot read {CANARY}")
    (line,) = lines(stream)
    assert line["event"] == "unnamed"
    assert CANARY not in stream.getvalue()


def test_an_exception_is_its_type_and_its_way(stream: io.StringIO) -> None:
    try:
        try:
            raise KeyError(CANARY)
        except KeyError as error:
            raise ValueError(CANARY) from error
    except ValueError as error:
        get_log("front").error("failed", error)
    (line,) = lines(stream)
    assert (line["error"], line["cause"]) == ("ValueError", "KeyError")
    assert "test_log.py:" in line["trace"]
    assert CANARY not in stream.getvalue()


def test_a_library_is_heard_without_its_words(stream: io.StringIO) -> None:
    try:
        raise ValueError(CANARY)
    except ValueError:
        logging.getLogger("asyncio").exception("future: %s", CANARY)
    logging.getLogger("aiohttp.client").warning(CANARY)
    logging.getLogger("anything").info("not heard")
    first, second = lines(stream)
    assert (first["log"], first["error"]) == ("asyncio", "ValueError")
    assert second["event"] == "library"
    assert CANARY not in stream.getvalue()
