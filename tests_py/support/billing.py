"""Stripe, Lago and OpenMeter as far as usage goes: real HTTP servers that speak each one's format.

Each asks for its key, checks what it is sent as the true one does, knows an id again, and says so in its own way; of a
batch Lago takes all or nothing. `answers` makes the next calls fail: a status, or None for a connection that is cut.
"""

from __future__ import annotations

import json
import re
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_STRIPE_FIELDS = {"event_name", "timestamp", "identifier", "payload[stripe_customer_id]", "payload[value]"}
_LAGO_FIELDS = {
    "transaction_id",
    "external_subscription_id",
    "code",
    "timestamp",
    "precise_total_amount_cents",
    "properties",
}
_MOST_LAGO_EVENTS = 100
_STRIPE_DAYS = 35


class Posted(NamedTuple):
    """One call as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Reply(NamedTuple):
    """What is answered."""

    status: int
    body: Any = None


class Target(ABC):
    """Listens on 127.0.0.1; `events` is what it counts, by id."""

    path = ""

    def __init__(self, key: str, known: tuple[str, ...] = ()) -> None:
        self.key = key
        self.known = set(known)
        """Customers or subscriptions that it knows."""
        self.posted: list[Posted] = []
        self.events: dict[str, dict[str, Any]] = {}
        self.duplicates: list[str] = []
        self.answers: list[int | None] = []
        self.retry_after = "1"
        self.on_post: Callable[[Posted], None] = lambda _: None
        """Called when a call was taken and before it is answered."""
        self.lock = threading.Lock()
        self._server = _Server(self)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @abstractmethod
    def take(self, posted: Posted) -> Reply:
        """What a call with the right key is answered; counts what is new in it."""

    def refuse_key(self) -> Reply:
        """What one with another key is answered."""
        return Reply(401, {"status": 401, "error": "Unauthorized"})

    def answer(self, posted: Posted) -> Reply | None:
        """The reply; None to hang up."""
        with self.lock:
            self.posted.append(posted)
            if posted.headers.get("authorization") != f"Bearer {self.key}":
                return self.refuse_key()
            if posted.path != self.path:
                return Reply(404, {"error": "no such path"})
            failure = self.answers.pop(0) if self.answers else 0
            reply = self.take(posted) if failure in (0, None) else Reply(failure or 0, {"error": "as told"})
        self.on_post(posted)
        return None if failure is None else reply

    def count(self, event_id: str, event: dict[str, Any]) -> bool:
        """False when it was there already."""
        if event_id in self.events:
            self.duplicates.append(event_id)
            return False
        self.events[event_id] = event
        return True

    def wait_for(self, count: int, seconds: float = 20) -> dict[str, dict[str, Any]]:
        """Its events, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(self.events) < count:
            assert time.monotonic() < deadline, f"{len(self.events)} of {count}; {self.posted[-3:]}"
            time.sleep(0.02)
        return dict(self.events)

    def close(self) -> None:
        """Lets everybody go."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Stripe(Target):
    """Meter events, one a call, whole numbers only; negative ones mend what was recorded before."""

    path = "/v1/billing/meter_events"

    def __init__(self, key: str, known: tuple[str, ...] = (), meter: str = "used") -> None:
        self.meter = meter
        super().__init__(key, known)

    def refuse_key(self) -> Reply:
        return Reply(401, {"error": {"message": "Invalid API Key provided", "type": "invalid_request_error"}})

    def take(self, posted: Posted) -> Reply:
        if posted.headers["content-type"] != "application/x-www-form-urlencoded":
            return self._refuse("Invalid request")
        form = dict(parse_qsl(posted.body.decode(), strict_parsing=True))
        if not re.fullmatch(r"\d{4}-\d\d-\d\d\.[a-z]+", posted.headers.get("stripe-version", "")):
            return self._refuse("Invalid Stripe API version")
        if set(form) != _STRIPE_FIELDS:
            return self._refuse(f"Received unknown parameters or too few: {sorted(form)}")
        if form["event_name"] != self.meter:
            return self._refuse(f"No active meter found for event_name {form['event_name']}")
        if form["payload[stripe_customer_id]"] not in self.known:
            return self._refuse("No such customer")
        if not re.fullmatch(r"-?\d+", form["payload[value]"]):
            return self._refuse("The value must be a whole number")
        if not time.time() - _STRIPE_DAYS * 86400 < int(form["timestamp"]) < time.time() + 300:
            return self._refuse("The timestamp must be within the past 35 days")
        if len(form["identifier"]) > 100:
            return self._refuse("Invalid string: must be at most 100 characters")
        if not self.count(form["identifier"], form):
            return self._refuse(f"An event already exists with identifier {form['identifier']}.")
        return Reply(200, {"object": "billing.meter_event", "identifier": form["identifier"], "livemode": False})

    def _refuse(self, message: str) -> Reply:
        return Reply(400, {"error": {"message": message, "type": "invalid_request_error"}})


class Lago(Target):
    """Events in batches of at most 100, all or nothing."""

    path = "/api/v1/events/batch"

    def take(self, posted: Posted) -> Reply:
        events = json.loads(posted.body)["events"]
        faults: dict[str, dict[str, list[str]]] = {}
        if not events or len(events) > _MOST_LAGO_EVENTS:
            return self._refuse({"events": ["too_many_events" if events else "no_events"]})
        for place, event in enumerate(events):
            if fault := self._check(event):
                faults[str(place)] = fault
        if faults:
            return self._refuse(faults)
        for event in events:
            self.count(event["transaction_id"], event)
        return Reply(200, {"events": [{**event, "lago_id": "1a901a90"} for event in events]})

    def _check(self, event: dict[str, Any]) -> dict[str, list[str]]:
        assert set(event) <= _LAGO_FIELDS
        fault: dict[str, list[str]] = {}
        if event["transaction_id"] in self.events:
            self.duplicates.append(event["transaction_id"])
            fault["transaction_id"] = ["value_already_exist"]
        if not isinstance(event["timestamp"], int):
            fault["timestamp"] = ["invalid_format"]
        if event["external_subscription_id"] not in self.known:
            fault["external_subscription_id"] = ["subscription_not_found"]
        if not _NUMBER.fullmatch(event["properties"]["value"]):
            fault["properties"] = ["value_is_not_a_number"]
        return fault

    def _refuse(self, details: Any) -> Reply:
        body = {"status": 422, "error": "Unprocessable Entity", "code": "validation_errors", "error_details": details}
        return Reply(422, body)


class OpenMeter(Target):
    """CloudEvents, as many as one likes; those that it had are dropped without a word."""

    path = "/api/v1/events"

    def take(self, posted: Posted) -> Reply:
        if posted.headers["content-type"] != "application/cloudevents-batch+json":
            return Reply(400, {"title": "Bad Request", "detail": "invalid content type"})
        events = json.loads(posted.body)
        for event in events:
            required = ("id", "source", "specversion", "type", "subject")
            if not all(isinstance(event.get(name), str) and event[name] for name in required):
                return Reply(400, {"title": "Bad Request", "detail": "invalid event"})
            if event["specversion"] != "1.0" or event["subject"] not in self.known:
                return Reply(400, {"title": "Bad Request", "detail": "invalid event"})
            datetime.fromisoformat(event["time"])
        for event in events:
            self.count(f"{event['source']} {event['id']}", event)
        return Reply(204)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, target: Target) -> None:
        self.target = target
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up does so."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        target: Target = self.server.target  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"]))
        posted = Posted(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        reply = target.answer(posted)
        if reply is None:
            self.close_connection = True
            return
        said = b"" if reply.body is None else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        if reply.status in (429, 503):
            self.send_header("retry-after", target.retry_after)
        self.send_header("content-type", "application/json")
        if reply.status != 204:
            self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""
