"""The system user that PostgreSQL runs as when root starts it, and what that user can reach.

SystemUserError        there is no such user, or a path is closed to it
 ├── UserMissing
 └── ClosedPath
"""

from __future__ import annotations

import contextlib
import os
import pwd
import subprocess
from pathlib import Path

from onevault.errors import OperatorError

SYSTEM_USER = "embedded_postgres"


class SystemUserError(OperatorError):
    """PostgreSQL cannot be run for root. The text says why and what to do."""


class UserMissing(SystemUserError):
    """The user does not exist and cannot be made."""


class ClosedPath(SystemUserError):
    """The user cannot reach a path."""


def system_user() -> pwd.struct_passwd | None:
    """The user the server must run as when root starts it (made if missing); None otherwise."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(KeyError):
        return pwd.getpwnam(SYSTEM_USER)
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        with contextlib.suppress(KeyError):  # another process may have been faster
            return pwd.getpwnam(SYSTEM_USER)
        raise UserMissing(
            f"PostgreSQL does not run as root, and the system user {SYSTEM_USER} cannot be made "
            f"({error}): make it by hand, or start the gateway as an ordinary user"
        ) from error
    return pwd.getpwnam(SYSTEM_USER)


def refuse_closed_path(path: Path, user: pwd.struct_passwd, *, itself: bool = False) -> None:
    """Raises ClosedPath when `user` cannot reach `path` through each of its parents.

    With `itself` the path, too, must be readable (and passable or executable, as it is now).
    """
    path = path.resolve()
    for parent in reversed(path.parents):
        if not _allows(parent.stat(), user, 0o1):
            raise ClosedPath(
                f"PostgreSQL runs as the system user {user.pw_name}, who may not pass through "
                f"{parent} on the way to {path}: run `chmod o+x {parent}`, move the "
                "checkout or ONEVAULT_HOME to another place, or start the gateway as an "
                "ordinary user"
            )
    if itself:
        status = path.stat()
        wanted = 0o5 if status.st_mode & 0o100 else 0o4
        if not _allows(status, user, wanted):
            raise ClosedPath(
                f"PostgreSQL runs as the system user {user.pw_name}, who may not read {path}: "
                f"run `chmod -R go+rX {path.parent}`, or start the gateway as an "
                "ordinary user"
            )


def _allows(status: os.stat_result, user: pwd.struct_passwd, wanted: int) -> bool:
    if status.st_uid == user.pw_uid:
        granted = status.st_mode >> 6
    elif status.st_gid == user.pw_gid:
        granted = status.st_mode >> 3
    else:
        granted = status.st_mode
    return granted & wanted == wanted
