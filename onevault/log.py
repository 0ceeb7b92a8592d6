"""Structured log lines on standard error, which cannot hold what a customer said.

    log = get_log("front.link")
    log.info("worker_linked", pid=4711)

An event is a fixed name, a field one of `FIELDS`: there is no field for a body, a prompt, a token
or a key, and an unknown one is left out and counted. An exception is written as its type and the
places in the code it passed, never with its text, which may quote the data it failed on. What
Python itself would print goes the same way: warnings, exceptions that nobody caught, in threads
and in destructors too. Lines are JSON, or plain text when standard error is a terminal.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

Value = str | int | float | bool | None

FIELDS = frozenset(
    {
        "address", "attempt", "attempts", "bytes", "class", "code", "connections", "count",
        "database", "delay_ms", "duration_ms", "embedded", "exit_code", "host", "http_status",
        "job", "kind", "latency_ms", "lost", "migration", "model", "name", "number", "path",
        "pid", "port", "process", "provider", "queue", "read_ct", "reason", "release",
        "request_id", "running", "seconds", "service", "signal", "size", "sqlstate", "state",
        "status", "waiting",
    }
)  # fmt: skip

_LONGEST_TEXT = 200
_EVENT = re.compile(r"[a-z][a-z0-9_]*")
# Sentences of libraries that are about the process alone; all others may quote data.
_KNOWN_SENTENCES = frozenset(
    {
        "ASGI callable returned without completing response.",
        "ASGI callable returned without starting response.",
        "Application shutdown failed. Exiting.",
        "Application startup failed. Exiting.",
        "Cancel %s running task(s), timeout graceful shutdown exceeded",
        "Exceeded concurrency limit.",
        "Exception in ASGI application",
        "Invalid HTTP request received.",
    }
)
_QUIET_LOGGERS = ("uvicorn.access", "httpx", "httpcore", "aiohttp.access", "yoyo")


class Log:
    """Writes events of one part of the program."""

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger

    def debug(self, event: str, **fields: Value) -> None:
        """An event for somebody who is looking for a fault."""
        self._write(logging.DEBUG, event, None, fields)

    def info(self, event: str, **fields: Value) -> None:
        """An event of normal life."""
        self._write(logging.INFO, event, None, fields)

    def warning(self, event: str, error: BaseException | None = None, **fields: Value) -> None:
        """Something went wrong that the program mends by itself."""
        self._write(logging.WARNING, event, error, fields)

    def error(self, event: str, error: BaseException | None = None, **fields: Value) -> None:
        """Something went wrong that a person should look at."""
        self._write(logging.ERROR, event, error, fields)

    def _write(self, level: int, event: str, error: BaseException | None, fields: dict[str, Value]) -> None:
        if self._logger.isEnabledFor(level):
            self._logger.log(level, event, extra={"onevault": (error, fields)})


def get_log(name: str) -> Log:
    """The log of the part `name`, such as `front` or `worker.link`."""
    return Log(logging.getLogger(f"onevault.{name}"))


def configure_logging(level: str, service: str, stream: TextIO | None = None) -> None:
    """Sends every log line of this process to `stream` (default: standard error).

    `level` is debug, info, warning or error; `service` names the process in each line. Libraries
    are heard from warning on.
    """
    target = sys.stderr if stream is None else stream
    handler = _Handler(target)
    handler.setFormatter(_Formatter(service, text=target.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("onevault").setLevel(level.upper())
    for name in _QUIET_LOGGERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    logging.captureWarnings(True)
    sys.excepthook = _on_exception
    threading.excepthook = _on_thread_exception
    sys.unraisablehook = _on_unraisable


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A record that cannot be written is lost: Python would print it with its arguments."""


def _on_exception(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    get_log("python").error("exception_not_caught", error.with_traceback(trace))


def _on_thread_exception(found: threading.ExceptHookArgs) -> None:
    if found.exc_value is not None and not isinstance(found.exc_value, SystemExit):
        get_log("python").error("exception_in_thread", found.exc_value)


def _on_unraisable(found: sys.UnraisableHookArgs) -> None:
    get_log("python").error("exception_in_destructor", found.exc_value)


class _Formatter(logging.Formatter):
    def __init__(self, service: str, *, text: bool) -> None:
        super().__init__()
        self._service = service
        self._text = text

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "service": self._service,
            "pid": record.process,
        }
        own = getattr(record, "onevault", None)
        if own is not None:
            error, fields = own
            line["log"] = record.name.removeprefix("onevault.")
            line["event"] = record.msg if _EVENT.fullmatch(str(record.msg)) else "unnamed"
            line.update(_allowed(fields))
        else:
            error = record.exc_info[1] if record.exc_info else None
            line["log"] = record.name
            line["event"] = "library"
            line["at"] = f"{record.filename}:{record.lineno}"
            sentence = record.msg.strip() if isinstance(record.msg, str) else ""
            if sentence in _KNOWN_SENTENCES:
                line["message"] = sentence
        if error is not None:
            line.update(describe_error(error))
        return _as_text(line) if self._text else json.dumps(line, separators=(",", ":"))


def describe_error(error: BaseException) -> dict[str, Value]:
    """An exception without its text: `error` (type), `sqlstate` if it has one, `trace`, `cause`."""
    found: dict[str, Value] = {"error": type(error).__qualname__}
    sqlstate = getattr(error, "sqlstate", None)
    if isinstance(sqlstate, str):
        found["sqlstate"] = sqlstate
    frames = traceback.extract_tb(error.__traceback__)[-6:]
    if frames:
        found["trace"] = " ".join(f"{'/'.join(frame.filename.split('/')[-2:])}:{frame.lineno}" for frame in frames)
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        found["cause"] = type(cause).__qualname__
    return found


def _allowed(fields: dict[str, Value]) -> dict[str, Value]:
    kept = {
        name: _short(value) if isinstance(value, str) else value
        for name, value in fields.items()
        if name.rstrip("_") in FIELDS and isinstance(value, str | int | float | bool | None)
    }
    if len(kept) < len(fields):
        kept["fields_left_out"] = len(fields) - len(kept)
    return {name.rstrip("_"): value for name, value in kept.items()}


def _short(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text[:_LONGEST_TEXT])
    return printable + ("…" if len(text) > _LONGEST_TEXT else "")


def _as_text(line: dict[str, Any]) -> str:
    fixed = ("time", "level", "service", "pid", "log", "event")
    head = f"{line['time'][11:23]} {line['level']:7} {line['log']:16} {line['event']}"
    return head + "".join(f" {k}={v}" for k, v in line.items() if k not in fixed)
