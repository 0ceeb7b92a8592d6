"""Sockets that dead fronts left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from litestar_app.sockets import remove_stale_sockets


def leave(path: Path) -> None:
    """A socket file on which nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def test_sockets_of_dead_fronts_go_and_those_of_living_ones_stay(tmp_path: Path) -> None:
    dead = tmp_path / "front-2147483646-0011223344556677.sock"
    namesake = tmp_path / f"front-{os.getpid()}-0011223344556677.sock"
    living = tmp_path / f"front-{os.getpid()}-8899aabbccddeeff.sock"
    foreign = tmp_path / "other.sock"
    for path in (dead, namesake, foreign):
        leave(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(living))
        listener.listen()
        remove_stale_sockets(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {living.name, foreign.name}
