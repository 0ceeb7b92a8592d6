"""Room for root's PostgreSQL when its system user cannot reach the data directory or the checkout.

Root often works in a directory of mode 0700, such as /root. No right is widened there. Instead the
server's files move to where anybody may pass through, and the data directory holds links to them:

    /var/lib/onevault/<random name>/pg              <home>/pg is a link to it
    /var/lib/onevault/<random name>/postgres.log    <home>/logs/postgres.log
    /var/lib/onevault/postgres-<digest>/            a copy of the binaries, shared by all homes
"""

from __future__ import annotations

import hashlib
import os
import pwd
import secrets
import shutil
from pathlib import Path

from onevault.errors import OperatorError
from onevault.system_user import ClosedPath, refuse_closed_path

REFUGE = Path("/var/lib/onevault")

# What the server reads at run time, besides the libraries beside the package.
_NEEDED = ("bin/postgres", "bin/pg_ctl", "bin/initdb", "lib", "share", "share/postgres.bki")


class RefugeError(OperatorError):
    """There is no room. The text says why and what to do."""


def reachable_data(home: Path, user: pwd.struct_passwd) -> None:
    """Sees to it that `user` can reach `home`/pg; if need be it becomes a link, with the log.

    Raises ClosedPath when there is data already that `user` cannot reach, and RefugeError.
    """
    data, log = home / "pg", home / "logs" / "postgres.log"
    try:
        refuse_closed_path(data, user)
    except ClosedPath:
        if data.exists():
            raise
        data.unlink(missing_ok=True)  # a link whose target is gone
        log.unlink(missing_ok=True)
        room = _room() / secrets.token_hex(8)
        room.mkdir()
        room.chmod(0o711)
        log.symlink_to(room / "postgres.log")
        data.symlink_to(room / "pg")


def reachable_binaries(install: Path, user: pwd.struct_passwd) -> Path:
    """`install`, or a copy of it that `user` can run. Raises SystemUserError, RefugeError."""
    try:
        return _check(install, user)
    except ClosedPath:
        digest = hashlib.sha256((install / "bin" / "postgres").read_bytes()).hexdigest()[:16]
        copy = _room() / f"postgres-{digest}"
        package = copy / install.parent.name
        if not copy.exists():
            _copy(install, copy)
        return _check(package / install.name, user)


def _check(install: Path, user: pwd.struct_passwd) -> Path:
    libraries = install.parent.with_name(f"{install.parent.name}.libs")
    needed = [install / name for name in _NEEDED] + sorted(libraries.glob("*"))
    for path in needed:
        refuse_closed_path(path, user, itself=True)
    return install


def _copy(install: Path, copy: Path) -> None:
    """The binaries and the libraries beside their package, in the layout that they look for."""
    part = copy.with_name(f"{copy.name}.{secrets.token_hex(4)}")
    package = install.parent.name
    shutil.copytree(install, part / package / install.name, symlinks=True)
    libraries = install.parent.with_name(f"{package}.libs")
    if libraries.exists():
        shutil.copytree(libraries, part / libraries.name, symlinks=True)
    for path in (part, *part.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    try:
        part.rename(copy)
    except OSError:
        # Another process was faster.
        shutil.rmtree(part)


def _room() -> Path:
    try:
        REFUGE.mkdir(parents=True, exist_ok=True)
        status = REFUGE.stat()
        if status.st_uid != os.geteuid() or status.st_mode & 0o022:
            raise RefugeError(f"{REFUGE} can be written by others than root: remove it, or `chmod go-w` it")
        REFUGE.chmod(0o755)
    except OSError as error:
        raise RefugeError(f"{REFUGE} cannot be made for PostgreSQL's files: {error.strerror}") from error
    return REFUGE
