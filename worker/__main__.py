"""The worker process: `main(settings)`, or `python -m worker`.

SIGTERM, SIGINT and SIGHUP drain it: nothing new is read, running answers finish, and it ends with 0.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Callable
from typing import Final

import uvloop

from onevault.database import open_database
from onevault.envelope import Keyring, load_keyring
from onevault.errors import OperatorError
from onevault.lifeline import STOP_SIGNALS, ignore_signals
from onevault.log import configure_logging, get_log
from onevault.memory import keep_memory_private
from onevault.settings import Settings, load_settings
from onevault.trim import keep_trimmed
from worker.booking import Booker
from worker.calls import Calls
from worker.clock import Clock
from worker.courier import EventCourier
from worker.drain import POLL_SECONDS, Drain, Limits
from worker.egress import Egress
from worker.exports import ExportCourier
from worker.guard import GuardedTransport
from worker.keys import ProviderKeys
from worker.link import Links
from worker.providers.registry import open_providers
from worker.road import Road
from worker.validation import KeyChecker
from worker.webhooks import Sender

_CHECK_SECONDS: Final = POLL_SECONDS / 2

_log = get_log("worker")


def main(settings: Settings) -> int:
    """Run one worker until it is told to stop; gives the exit status. Raises `OperatorError` if it cannot begin."""
    dsn = open_database(settings, start=False).dsn("worker")
    keyring = load_keyring(settings)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run_worker(settings, dsn, keyring))
    ignore_signals()
    return 0


async def run_worker(settings: Settings, dsn: str, keyring: Keyring) -> None:
    """Everything a worker is, put together, and taken apart again at the end."""
    calls = Calls(dsn)
    limits = Limits(settings.worker_concurrency, settings.drain_timeout_seconds)
    links = Links(f"worker-{os.getpid()}-{secrets.token_hex(4)}", settings.link_dir, settings.link_tls_dir)
    drain = Drain(calls, links, limits)
    booker = Booker(calls.record_results)
    egress = Egress(settings.webhook_allowed_networks)
    transport = GuardedTransport(egress)
    providers = open_providers(transport, settings)
    keys = ProviderKeys(calls.read_provider_key, keyring)
    drain.use_road(Road(providers, keys, booker, drain.ended, drain.tell, settings.retry_patience_seconds))
    couriers = (
        EventCourier(calls, keyring, Sender(egress, settings.webhook_ca_file)),
        ExportCourier(calls, keyring, settings.webhook_ca_file),
    )
    checker = KeyChecker(calls, keys, providers)
    _on_signals(drain.stop)
    beside = [
        asyncio.ensure_future(Clock(calls, drain.wake, checker.tick).run()),
        *(asyncio.ensure_future(courier.run()) for courier in couriers),
        asyncio.ensure_future(_tick(drain, links)),
        asyncio.ensure_future(keep_trimmed()),
    ]
    _log.info("worker_ready", pid=os.getpid())
    try:
        await drain.run()
        _log.info("worker_drains", running=drain.held)
        for courier in couriers:
            courier.stop()
        finishing = (courier.finish(settings.drain_timeout_seconds) for courier in couriers)
        await asyncio.gather(drain.finish(), *finishing)
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await checker.close()
        await links.close()
        await transport.aclose()
        await calls.close()
    _log.info("worker_stopped", running=drain.held)


async def _tick(drain: Drain, links: Links) -> None:
    """Look for late requests, for new fronts, and, without any hint, for work."""
    loop = asyncio.get_running_loop()
    while True:
        await asyncio.sleep(_CHECK_SECONDS)
        drain.check(loop.time())
        await asyncio.sleep(_CHECK_SECONDS)
        drain.check(loop.time())
        links.greet_new_fronts()
        drain.wake()


def _on_signals(stop: Callable[[], None]) -> None:
    """Call `stop` in the loop. Unlike the loop's own handlers these stay when it closes: a late signal kills nobody."""
    loop = asyncio.get_running_loop()

    def handle(number: int, frame: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(stop)

    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, handle)


def _run() -> int:
    keep_memory_private()
    try:
        settings = load_settings()
        configure_logging(settings.log_level, "worker")
        return main(settings)
    except OperatorError as error:
        sys.stderr.write(f"onevault: {error}\n")
        return 1


if __name__ == "__main__":
    sys.exit(_run())
