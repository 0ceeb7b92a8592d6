"""What one front counts about itself, for Prometheus.

The counters belong to one process. Where several fronts share a port, each scrape shows the one
that answers it, told apart by the `process` label.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest

from litestar_app.calls import Gauges

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
_SIZES: Final = (1, 2, 4, 8, 16, 32, 64)

_KNOWN: Final = {
    "reservations": "Open budget reservations; 10001 means more than 10000",
    "dead_messages": "Messages that were read too often; 10001 means more than 10000",
    "resting_offers": "Models at providers that rest after failures",
    "webhooks_waiting": "Events that wait for delivery to customers; 10001 means more than 10000",
    "webhooks_failed": "Events that were given up in the last day; 10001 means more than 10000",
    "usage_events_waiting": "Charges that wait to be handed over to exports; 10001 means more than 10000",
    "usage_events_failed": "Charges whose hand-over was parked in the last day; 10001 means more than 10000",
    "failed_jobs": "Scheduled jobs whose last run failed",
    "usage_rolled_up_seconds_ago": "Age of the usage rollup",
}
_HELD: Final = {
    "calls": "Requests in flight, from the first byte of the body to the last of the answer",
    "body_bytes": "Bytes of request bodies held",
    "answer_bytes": "Bytes of answers that wait for customers",
    "undecided": "Requests that wait for a decision",
    "tombstones": "Requests whose customers left before a worker claimed them",
}
_QUEUES: Final = {
    "depth": "Messages that wait in a queue; 10001 means more than 10000",
    "in_flight": "Messages that a worker has read",
    "oldest_seconds": "Age of the oldest waiting message",
}


class Metrics:
    """The counters of one front process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        self._requests = Counter(
            "onevault_front_requests",
            "Completions answered, by surface, kind of answer, and outcome (ok or the error code)",
            ("surface", "kind", "outcome"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "onevault_front_request_seconds",
            "Time from the first byte of a request to the last byte of its answer",
            ("surface", "kind"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._batches = Histogram(
            "onevault_front_route_batch_size",
            "Requests that were routed by one statement",
            buckets=_SIZES,
            registry=self._registry,
        )
        self.broken_streams = Counter(
            "onevault_front_broken_streams",
            "Streams that ended with an error after their first byte",
            registry=self._registry,
        )
        self._refused = Counter(
            "onevault_front_refused",
            "Requests that were refused before their route was looked for, by status",
            ("status",),
            registry=self._registry,
        )
        self._links = self._gauge("onevault_front_linked_workers", "Workers that are linked")
        self._waiting = self._gauge("onevault_front_waiting_requests", "Requests without answer yet")
        self._held = {name: self._gauge(f"onevault_front_{name}", text) for name, text in _HELD.items()}
        self._draining = self._gauge("onevault_front_draining", "1 while this front is stopping")
        self._up = self._gauge("onevault_database_up", "1 if the database answered this scrape")
        self._known = {name: self._gauge(f"onevault_{name}", text) for name, text in _KNOWN.items()}
        self._queues = {name: self._gauge(f"onevault_queue_{name}", text, ("queue",)) for name, text in _QUEUES.items()}
        process = self._gauge("onevault_front_process", "The front that answers", ("process",))
        process.labels(str(os.getpid())).set(1)
        self._outcomes: dict[tuple[str, str, str], Counter] = {}
        self._timers: dict[tuple[str, str], Histogram] = {}

    def request(self, surface: str, kind: str, outcome: str, seconds: float) -> None:
        """Count one completion. kind: "plain" or "stream"."""
        key = (surface, kind, outcome)
        counter = self._outcomes.get(key)
        if counter is None:
            counter = self._outcomes[key] = self._requests.labels(*key)
            self._timers[key[:2]] = self._seconds.labels(*key[:2])
        counter.inc()
        self._timers[key[:2]].observe(seconds)

    def batch(self, size: int) -> None:
        """Count one statement of the road."""
        self._batches.observe(size)

    def refused(self, status: int) -> None:
        """Count one request that was refused as HTTP."""
        self._refused.labels(str(status)).inc()

    def render(
        self, gauges: Gauges | None, *, workers: int, waiting: int, draining: bool, held: Mapping[str, int]
    ) -> bytes:
        """The text that Prometheus reads. gauges: what the database said, None if it is away."""
        self._links.set(workers)
        self._waiting.set(waiting)
        for name, gauge in self._held.items():
            gauge.set(held[name])
        self._draining.set(draining)
        self._up.set(gauges is not None)
        if gauges is not None:
            for name, gauge in self._known.items():
                gauge.set(getattr(gauges, name) or 0)
            for state in gauges.queues:
                for name, gauge in self._queues.items():
                    gauge.labels(state.queue).set(getattr(state, name) or 0)
        return generate_latest(self._registry)

    def _gauge(self, name: str, text: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, text, labels, registry=self._registry)
