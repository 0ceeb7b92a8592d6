"""The worker's half of the links: it dials fronts and keeps one connection to each.

The link is also how each side learns that the other has died: when a connection is lost, every request on it is told
that its front has gone.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, cast

from onevault.frames import Body, Cancel, Claim, FrameDecoder, FrameError, Gone, Hello, Pause, Resume, Wake, encode
from onevault.log import get_log
from worker.running import Running

# Errors
#   FrontGone           nobody listens where a message wants its answer
#   FrontUnreachable    the front could not be dialled now, which says nothing about whether it lives

_DIAL_SECONDS: Final = 5.0
_REDIAL_SECONDS: Final = 2.0
_UNIX: Final = "unix:"

_log = get_log("worker.link")


class FrontGone(Exception):
    """Nobody listens at this address any more."""


class FrontUnreachable(Exception):
    """The front could not be dialled, for a reason on this side or a passing one."""


class Link(asyncio.Protocol):
    """One connection to one front, with all requests that this worker serves for it."""

    def __init__(self, name: str, on_wake: Callable[[], None], on_lost: Callable[[Link], None]) -> None:
        self.blocked = False
        self.lost = False
        self._name = name
        self._on_wake = on_wake
        self._on_lost = on_lost
        self._decoder = FrameDecoder()
        self._requests: dict[bytes, Running] = {}
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._unsent: list[bytes] = []

    def claim(self, run: Running) -> None:
        """Ask the front for a request's body; claims made together leave in one write."""
        known = self._requests.get(run.ticket)
        assert known is None
        run.link = self
        self._requests[run.ticket] = run
        delivery = run.delivery
        self.write(encode(Claim(run.ticket, delivery.queue, delivery.msg_id, delivery.read_ct)))

    def find(self, ticket: bytes) -> Running | None:
        """The request of this ticket, if it is being served over this link."""
        return self._requests.get(ticket)

    def release(self, run: Running) -> None:
        """The request is over."""
        self._requests.pop(run.ticket, None)

    def write(self, data: bytes) -> None:
        """Send encoded frames; what is written in one turn of the loop leaves in one piece."""
        if self.lost:
            return
        self._unsent.append(data)
        if len(self._unsent) == 1:
            self._loop.call_soon(self._flush)

    def close(self) -> None:
        """Hang up after sending what was written."""
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance
        self.write(encode(Hello(self._name)))

    def data_received(self, data: bytes) -> None:
        try:
            frames = self._decoder.feed(data)
        except FrameError as error:
            _log.warning("link_broken", error)
            if self._transport is not None:
                self._transport.abort()
            return
        for frame in frames:
            match frame:
                case Wake():
                    self._on_wake()
                case Body(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.begin(frame)
                case Gone(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.refuse(frame)
                case Cancel(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.end("client_gone")
                case Pause(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.pause()
                case Resume(ticket=ticket):
                    if run := self._requests.get(ticket):
                        run.resume()
                case _:
                    _log.warning("frame_unexpected", kind=type(frame).__name__)

    def pause_writing(self) -> None:
        self.blocked = True

    def resume_writing(self) -> None:
        self.blocked = False
        for run in tuple(self._requests.values()):
            run.open_gate()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self.blocked = False
        self._unsent.clear()
        for run in tuple(self._requests.values()):
            run.end("front_gone")
        self._on_lost(self)

    def _flush(self) -> None:
        if self._unsent and self._transport is not None:
            data = self._unsent[0] if len(self._unsent) == 1 else b"".join(self._unsent)
            self._unsent.clear()
            self._transport.write(data)


class Links:
    """All links of this worker, by the path of the front's socket; `directory` is where fronts put theirs."""

    def __init__(self, name: str, directory: Path) -> None:
        self._name = name
        self._directory = str(directory)
        self._on_wake: Callable[[], None] = _ignore
        self._links: dict[str, Link] = {}
        self._dialling: dict[str, asyncio.Task[Link]] = {}
        self._failed: dict[str, float] = {}

    def on_wake(self, call: Callable[[], None]) -> None:
        """What to call when a front says that there is work."""
        self._on_wake = call

    def get(self, reply_to: str) -> Link | None:
        """The standing link to this front, if there is one."""
        return self._links.get(reply_to.removeprefix(_UNIX))

    async def reach(self, reply_to: str) -> Link:
        """The link to this front, dialled now if there is none. Raises `FrontGone`, `FrontUnreachable`."""
        if not reply_to.startswith(_UNIX):
            raise FrontUnreachable
        path = reply_to.removeprefix(_UNIX)
        link = self._links.get(path)
        if link is not None:
            return link
        task = self._dialling.get(path)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._dial(path))
            self._dialling[path] = task
            task.add_done_callback(lambda _: self._dialling.pop(path, None))
        return await asyncio.shield(task)

    def greet_new_fronts(self) -> None:
        """Dial, in the background, the fronts whose sockets have appeared, so that their hints arrive here."""
        now = asyncio.get_running_loop().time()
        seen = set(_sockets(self._directory))
        for path in seen:
            if path in self._links or path in self._dialling or now < self._failed.get(path, 0.0):
                continue
            task = asyncio.get_running_loop().create_task(self._dial(path))
            self._dialling[path] = task
            task.add_done_callback(functools.partial(self._greeted, path))
        for path in self._failed.keys() - seen:
            del self._failed[path]

    async def close(self) -> None:
        """Hang up everywhere."""
        for task in self._dialling.values():
            task.cancel()
        for link in tuple(self._links.values()):
            link.close()
        await asyncio.sleep(0)

    async def _dial(self, path: str) -> Link:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_DIAL_SECONDS):
                _, link = await loop.create_unix_connection(
                    lambda: Link(self._name, self._on_wake, lambda lost: self._forget(path, lost)), path
                )
        except OSError as error:
            self._failed[path] = loop.time() + _REDIAL_SECONDS
            # Elsewhere than here sockets may be of another machine, where another worker can reach them.
            here = os.path.dirname(path) == self._directory  # noqa: PTH120 - the text as the message has it
            if here and error.errno in (errno.ENOENT, errno.ECONNREFUSED, errno.ENOTSOCK):
                raise FrontGone from None
            raise FrontUnreachable from None  # TimeoutError is an OSError too
        if not link.lost:
            self._links[path] = link
        return link

    def _forget(self, path: str, link: Link) -> None:
        if self._links.get(path) is link:
            del self._links[path]
            _log.info("front_lost", path=Path(path).name)

    def _greeted(self, path: str, task: asyncio.Task[Link]) -> None:
        self._dialling.pop(path, None)
        if not task.cancelled():
            task.exception()  # a front that cannot be greeted is tried again, or named by a message


def _ignore() -> None:
    pass


def _sockets(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith("front-") and entry.name.endswith(".sock"):
                    yield entry.path
    except OSError:
        return
