"""Sockets that dead fronts left behind."""

from __future__ import annotations

import os
import socket
from pathlib import Path

from litestar_app.sockets import remove_stale_sockets
from tests_py.conftest import StartGateway


def leave(path: Path) -> None:
    """A socket file on which nobody listens any more."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))


def test_sockets_of_dead_fronts_go_and_those_of_living_ones_stay(place: Path) -> None:
    dead = place / "front-2147483646-0011223344556677.sock"
    namesake = place / f"front-{os.getpid()}-0011223344556677.sock"
    living = place / f"front-{os.getpid()}-8899aabbccddeeff.sock"
    foreign = place / "other.sock"
    for path in (dead, namesake, foreign):
        leave(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(living))
        listener.listen()
        remove_stale_sockets(place)
    assert {path.name for path in place.iterdir()} == {living.name, foreign.name}


def test_a_front_that_cannot_listen_for_workers_says_so_and_fails(start_gateway: StartGateway, tmp_path: Path) -> None:
    gateway = start_gateway(fronts=0, workers=0, ONEVAULT_LINK_DIR=str(tmp_path / ("x" * 100)))
    gateway.start_front()
    (front,) = gateway.fronts
    assert front.popen.wait(60) == 1
    front.kill()  # it has gone; this closes its log
    assert "onevault: cannot listen on " in gateway.log()
    assert "ONEVAULT_LINK_DIR must name a directory of ours with a short path" in gateway.log()
