"""The worker's half of the links: it dials fronts and keeps one connection to each.

The link is also how each side learns that the other has died. A unix socket is lost only when its front has died:
every request on it is told so at once. A TCP connection may break between two that live, so the front is dialled anew:

    it answers as the same process      it takes this worker for lost and gives the requests to the next one that asks:
                                        they are let go here, unbooked
    another front has its port,         it has died: the calls stop and what was used is booked. If the network alone
    or nobody can be reached            is broken, a booking comes too late once the front's message has been read again
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from onevault.frames import Hello, Work
from onevault.link_address import TCP, FrontAddress, parse_front_address
from onevault.link_tls import Credentials
from onevault.log import get_log
from worker.connection import FrontGone, FrontUnreachable, Link, Listener
from worker.reach import Reach
from worker.remote import FrontRefuses, RemoteLink, dial_remote
from worker.running import Running

__all__ = ["FrontGone", "FrontUnreachable", "Link", "Links"]

_DIAL_SECONDS: Final = 5.0
_REDIAL_SECONDS: Final = 2.0
_GOODBYE_SECONDS: Final = 2.0
_UNIX: Final = "unix:"

_log = get_log("worker.link")


class Links:
    """All links of this worker, by address: the path of a front's socket, or `tcp:…` as messages have it.

    `directory` is where fronts of this machine put their sockets, `tls_directory` has the certificate for those of
    others: it may be missing, but not be unusable. Raises `LinkTlsError`.
    """

    def __init__(self, name: str, directory: Path, tls_directory: Path | None = None) -> None:
        self._name = name
        self._directory = str(directory)
        self._credentials = Credentials(tls_directory or directory, "worker")
        if self._credentials.present:
            self._credentials.context()
        self._listener = Listener(_ignore, _ignore_work)
        self._room = 0
        self._on_stray: Callable[[Running], None] = _ignore_run
        self._links: dict[str, Link] = {}
        self._dialling: dict[str, asyncio.Task[Link]] = {}
        self._judging: set[asyncio.Task[None]] = set()
        self._failed: dict[str, float] = {}
        self._reach = Reach()
        self._closing = False

    def listen(self, listener: Listener) -> None:
        """Whom to tell that a front says that there is work, or gives it."""
        self._listener = listener

    def offer_room(self, room: int) -> None:
        """So many requests are taken from all fronts together without being read; 0 when this worker leaves."""
        self._room = room
        self._share_room()

    def on_stray(self, call: Callable[[Running], None]) -> None:
        """What to call with a request that waits for its body in vain: its front gives it to another worker."""
        self._on_stray = call

    def get(self, reply_to: str) -> Link | None:
        """The standing link to this front, if there is one."""
        return self._links.get(reply_to.removeprefix(_UNIX))

    def allowance(self, wanted: int) -> int:
        """How many messages to read at most: one at a time, and not often, while no front can be reached."""
        return self._reach.allowance(wanted, linked=bool(self._links))

    async def reach(self, reply_to: str) -> Link:
        """The link to this front, dialled now if there is none. Raises `FrontGone`, `FrontUnreachable`."""
        if not reply_to.startswith((_UNIX, TCP)):
            raise FrontUnreachable
        address = reply_to.removeprefix(_UNIX)
        link = self._links.get(address)
        if link is not None:
            return link
        return await asyncio.shield(self._dialled(address))

    def greet_new_fronts(self) -> None:
        """Dial, in the background, fronts whose sockets have appeared or whose links broke, so that hints arrive."""
        now = asyncio.get_running_loop().time()
        seen = {*_sockets(self._directory), *self._reach.missed(now)}
        for address in seen:
            if address in self._links or address in self._dialling or now < self._failed.get(address, 0.0):
                continue
            self._dialled(address).add_done_callback(_look_at)
        for address in self._failed.keys() - seen:
            del self._failed[address]

    async def close(self) -> None:
        """Hang up everywhere, and let what was written leave."""
        self._closing = True
        links = tuple(self._links.values())
        for task in (*self._dialling.values(), *self._judging):
            task.cancel()
        for link in links:
            link.close()
        until = asyncio.get_running_loop().time() + _GOODBYE_SECONDS
        await asyncio.sleep(0)
        while not all(link.lost for link in links):
            if asyncio.get_running_loop().time() >= until:
                break
            await asyncio.sleep(0.01)
        for link in links:
            link.abort()
        await asyncio.sleep(0)

    def _dialled(self, address: str) -> asyncio.Task[Link]:
        """The task that dials this front, one however many want it."""
        task = self._dialling.get(address)
        if task is None:
            dial = self._dial_remote if address.startswith(TCP) else self._dial
            task = asyncio.get_running_loop().create_task(dial(address))
            self._dialling[address] = task
            task.add_done_callback(lambda _: self._dialling.pop(address, None))
        return task

    async def _dial(self, path: str) -> Link:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_DIAL_SECONDS):
                _, link = await loop.create_unix_connection(
                    lambda: Link(Hello(self._name), self._listener, lambda lost: self._forget(path, lost)), path
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
            self._share_room()
        return link

    async def _dial_remote(self, text: str) -> Link:
        loop = asyncio.get_running_loop()
        try:
            address = parse_front_address(text)
        except ValueError:
            raise FrontUnreachable from None
        if self._reach.is_dead(text):
            raise FrontGone
        known = text

        def lost(link: Link) -> None:
            self._forget_remote(known, link)

        try:
            link, instance = await dial_remote(
                address, self._credentials, lambda: RemoteLink(Hello(self._name), self._listener, lost), _DIAL_SECONDS
            )
        except FrontUnreachable as error:
            self._failed[text] = loop.time() + _REDIAL_SECONDS
            if self._reach.failed(text, loop.time(), refused=isinstance(error, FrontRefuses)):
                raise FrontGone from None
            raise
        # Whoever answers is a front, and worth a link of its own even when it is not the one that was meant.
        known = str(FrontAddress(address.host, address.port, instance))
        self._reach.succeeded(known, loop.time())
        if link.lost:
            raise FrontUnreachable
        if known in self._links:
            link.close()
        else:
            self._links[known] = link
            self._share_room()
        if known != text:
            self._reach.bury(text)
            raise FrontGone
        return self._links[known]

    def _forget(self, path: str, link: Link) -> None:
        link.end_all()
        if self._links.get(path) is link:
            del self._links[path]
            self._share_room()
            _log.info("front_lost", path=Path(path).name)

    def _forget_remote(self, address: str, link: Link) -> None:
        if self._links.get(address) is link:
            del self._links[address]
            self._share_room()
            _log.info("front_lost", address=address)
        if self._closing:
            link.end_all()
            return
        self._reach.lost(address, asyncio.get_running_loop().time())
        if link.requests():
            task = asyncio.get_running_loop().create_task(self._judge(address, link))
            self._judging.add(task)
            task.add_done_callback(self._judging.discard)

    def _share_room(self) -> None:
        for link in self._links.values():
            link.greet(Hello(self._name, self._room // len(self._links)))

    async def _judge(self, address: str, link: Link) -> None:
        """The connection has broken: whether the front has died decides what becomes of its requests."""
        try:
            await self.reach(address)
        except (FrontGone, FrontUnreachable):
            link.end_all()
            return
        requests = link.requests()
        _log.warning("link_broke", count=len(requests))
        for run in requests:
            if run.body is None and run.gone is None:
                self._on_stray(run)
            else:
                run.abandon()


def _ignore() -> None:
    pass


def _ignore_work(link: Link, work: Work) -> None:
    pass


def _ignore_run(run: Running) -> None:
    pass


def _look_at(task: asyncio.Task[Link]) -> None:
    if not task.cancelled():
        task.exception()  # a front that cannot be greeted is tried again, or named by a message


def _sockets(directory: str) -> Iterator[str]:
    try:
        with os.scandir(directory) as entries:
            for entry in entries:
                if entry.name.startswith("front-") and entry.name.endswith(".sock"):
                    yield entry.path
    except OSError:
        return
