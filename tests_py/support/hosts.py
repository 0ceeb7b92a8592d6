"""Two hosts and a cable on one machine: network namespaces joined by a pair of virtual interfaces."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from collections.abc import Sequence

FRONT, WORKER = "10.213.7.1", "10.213.7.2"
"""Addresses inside the namespaces; nobody else sees them."""


def missing() -> str:
    """What keeps this machine from having network namespaces; empty if nothing does."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "the command ip (iproute2) is not installed"
    name = f"ovtry{secrets.token_hex(3)}"
    tried = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)
    return "" if tried.returncode == 0 else f"network namespaces cannot be made here: {tried.stderr.strip()}"


class Hosts:
    """The hosts `front` and `worker`, each with its address on the cable."""

    def __init__(self) -> None:
        suffix = secrets.token_hex(3)
        self._names = {"front": f"ovf{suffix}", "worker": f"ovw{suffix}"}
        try:
            for name in self._names.values():
                _ip("netns", "add", name)
            front, worker = self._names.values()
            _ip("link", "add", front, "netns", front, "type", "veth", "peer", "name", worker, "netns", worker)
            for name, address in ((front, FRONT), (worker, WORKER)):
                _ip("-n", name, "link", "set", "lo", "up")
                _ip("-n", name, "addr", "add", f"{address}/30", "dev", name)
                _ip("-n", name, "link", "set", name, "up")
        except BaseException:
            self.close()
            raise

    def on(self, host: str) -> Sequence[str]:
        """What to write before a command so that it runs on this host."""
        return ("ip", "netns", "exec", self._names[host])

    def pull_cable(self) -> None:
        """Nothing gets from one host to the other, and nobody is told."""
        self._set("down")

    def plug_in_cable(self) -> None:
        """As before."""
        self._set("up")

    def close(self) -> None:
        """Remove both; their ends of the cable go with them."""
        for name in self._names.values():
            subprocess.run(["ip", "netns", "del", name], capture_output=True)

    def _set(self, state: str) -> None:
        name = self._names["worker"]
        _ip("-n", name, "link", "set", name, state)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)
