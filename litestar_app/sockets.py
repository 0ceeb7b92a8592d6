"""Where workers find this front: a unix socket of its own in the link directory.

LinkError      the front cannot listen for workers; says where and why
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path
from typing import Final

from onevault.errors import OperatorError

_NAME: Final = re.compile(r"front-(\d+)-[0-9a-f]+\.sock")


class LinkError(OperatorError):
    """The front cannot listen for workers."""


def listen(path: Path) -> socket.socket:
    """A listening socket at `path` that only we may dial. Raises `LinkError`.

    Sockets that dead fronts left in the directory are removed.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        remove_stale_sockets(path.parent)
        listener.bind(str(path))
        path.chmod(0o600)  # before it listens, so that nobody can have dialled
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise LinkError(
            f"cannot listen on {path} ({error.strerror or error}): "
            "ONEVAULT_LINK_DIR must name a directory of ours with a short path"
        ) from error
    listener.setblocking(False)
    return listener


def remove_stale_sockets(directory: Path) -> None:
    """Remove sockets of fronts that are dead: their process is gone and nobody listens."""
    for path in directory.glob("front-*.sock"):
        match = _NAME.fullmatch(path.name)
        # In containers every front may be process 1: our own number says nothing about another's socket.
        if match is None or (int(match[1]) != os.getpid() and _is_alive(int(match[1]))):
            continue
        with socket.socket(socket.AF_UNIX) as probe, contextlib.suppress(OSError):
            probe.settimeout(0.2)
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
