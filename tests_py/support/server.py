"""A PostgreSQL that a test may kill: durable, in a directory of its own, started again by hand."""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path

import psutil

from onevault.embedded import EmbeddedServer
from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.support.template import EMPTY

_GONE_SECONDS = 60


class MortalCluster(Cluster):
    """A cluster with fsync on, whose server can be crashed, stopped and started."""

    def __init__(self) -> None:
        super().__init__(durable=True)
        if sys.platform == "linux":
            with self.maintenance() as connection:
                # Before it recovers it syncs all files; one by one that takes the ten seconds of a busy disk.
                connection.execute("alter system set recovery_init_sync_method = 'syncfs'")
                connection.execute("select pg_catalog.pg_reload_conf()")
        self._servers: list[EmbeddedServer] = []

    def clone(self, template: str = EMPTY) -> ClonedDatabase:
        """A new database, on disk already: the first crash has nothing of its making to repeat."""
        made = super().clone(template)
        with self.maintenance() as connection:
            connection.execute("checkpoint")
        return made

    def crash(self) -> None:
        """SIGKILL for every process of the server at once, as when the machine loses them."""
        postmaster = psutil.Process(self._postmaster())
        postmaster.suspend()  # so that it has no more children
        family = [postmaster, *postmaster.children(recursive=True)]
        for process in family:
            process.kill()
        _wait_for(family)
        # Where nobody reaps orphans its number still looks taken, and no server would start.
        for lock in (self._pid_file, *self._pid_file.parent.glob(".s.PGSQL.*.lock")):
            lock.unlink()

    def stop(self, *, immediate: bool) -> None:
        """Fast (sessions are ended, a checkpoint is made) or immediate (as a crash, but the postmaster tidies up)."""
        postmaster = psutil.Process(self._postmaster())
        family = [postmaster, *postmaster.children(recursive=True)]
        postmaster.send_signal(signal.SIGQUIT if immediate else signal.SIGINT)
        _wait_for(family)

    def start(self) -> None:
        """Start it again; returns when it accepts connections."""
        server = EmbeddedServer(self.home)
        server.acquire()
        self._servers.append(server)

    def close(self) -> None:
        """Stops the server and removes its directory."""
        for server in self._servers:
            server.release()
        super().close()

    @property
    def log(self) -> Path:
        """What the server writes: of all databases, since it was made."""
        return self.home / "logs" / "postgres.log"

    def _postmaster(self) -> int:
        return int(self._pid_file.read_text().split("\n", 1)[0])

    @property
    def _pid_file(self) -> Path:
        return self.home / "pg" / "postmaster.pid"


def _wait_for(processes: list[psutil.Process]) -> None:
    deadline = time.monotonic() + _GONE_SECONDS
    while any(_lives(process) for process in processes):
        assert time.monotonic() < deadline, "the server does not go"
        time.sleep(0.01)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
