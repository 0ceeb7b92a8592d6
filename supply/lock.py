"""The lock files: every distribution that may be installed, with its version and the hashes of its files."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = ROOT / "requirements.lock"
DEVELOPMENT = ROOT / "requirements-dev.lock"
PROJECT = "onevault-gateway"

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


class Locked(NamedTuple):
    """One distribution of a lock: `here` says whether it belongs on this system and this Python."""

    name: str
    version: str
    hashes: tuple[str, ...]
    here: bool


def read_lock(path: Path) -> dict[str, Locked]:
    """The distributions of a lock by their normalised name."""
    locked: dict[str, Locked] = {}
    for block in re.split(r"\n(?=[a-z0-9])", path.read_text()):
        requirement = Requirement(block.split("\\\n", 1)[0].strip())
        (pin,) = requirement.specifier
        name = canonicalize_name(requirement.name)
        here = requirement.marker is None or requirement.marker.evaluate()
        locked[name] = Locked(name, pin.version, tuple(sorted(_HASH.findall(block))), here)
    return locked
