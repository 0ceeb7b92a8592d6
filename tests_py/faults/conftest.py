"""What the tests of faults share: how much to do, a PostgreSQL that may die, a gateway on it, a provider with books.

`make test` runs them small, `make soak` full (ONEVAULT_SOAK=1), with the figures of each test on standard output and,
with `--figures FILE`, a line of JSON for each in that file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

from tests_py.support.cluster import ClonedDatabase
from tests_py.support.gateway import Gateway
from tests_py.support.rig import Rig, put_up_provider
from tests_py.support.server import MortalCluster
from tests_py.support.template import STOCKED
from tests_py.support.truth import HonestProvider

Size = Literal["small", "full"]
Report = Callable[..., None]
StartRig = Callable[..., Rig]

SOAK = os.environ.get("ONEVAULT_SOAK") == "1"
_SOAK_SECONDS = 4 * 3600


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A soak takes what it takes."""
    if SOAK:
        here = Path(__file__).parent
        for item in items:
            if here in item.path.parents:
                item.add_marker(pytest.mark.timeout(_SOAK_SECONDS))


@pytest.fixture(scope="session")
def size() -> Size:
    """How much to do: `small` in `make test`, `full` in `make soak`."""
    return "full" if SOAK else "small"


@pytest.fixture
def report(request: pytest.FixtureRequest, size: Size) -> Report:
    """`report(requests=600, kills=9)`: a line of figures."""

    def tell(**figures: Any) -> None:
        line = json.dumps({"test": request.node.nodeid, "size": size, **figures}, default=str)
        print(f"\n{line}")
        path = request.config.getoption("--figures")
        if path is not None:
            with Path(path).open("a", encoding="utf-8") as file:
                file.write(line + "\n")

    return tell


@pytest.fixture(scope="session")
def mortal() -> Iterator[MortalCluster]:
    """A PostgreSQL that keeps its promises on disk and may be killed."""
    cluster = MortalCluster()
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture(scope="module")
def provider() -> Iterator[HonestProvider]:
    """A provider in its own process that keeps books."""
    with HonestProvider() as found:
        yield found


@pytest.fixture
def start_rig(mortal: MortalCluster, provider: HonestProvider, tmp_path: Path) -> Iterator[StartRig]:
    """`start_rig(fronts=2, workers=3, others=("b",), ONEVAULT_…="…")`: a gateway, its customers, its provider."""
    started: list[Rig] = []
    clones: list[ClonedDatabase] = []

    def start(
        *, fronts: int = 1, workers: int = 1, program: str = "onevault", others: tuple[str, ...] = (), **environ: str
    ) -> Rig:
        home = tmp_path / f"home{len(started) + 1}"
        home.mkdir(mode=0o700)
        clones.append(mortal.clone(STOCKED))
        settings = {"ONEVAULT_REQUEST_TIMEOUT_SECONDS": "60", **environ}
        gateway = Gateway(clones[-1], home, settings)
        gateway.program = program
        rig = Rig(gateway, put_up_provider(gateway, provider.endpoint, *others), mortal, provider)
        started.append(rig)
        for _ in range(workers):
            gateway.start_worker()
        for _ in range(fronts):
            gateway.start_front()
        gateway.wait_until_ready()
        return rig

    yield start
    for rig in started:
        rig.gateway.stop()
    for clone in clones:
        mortal.drop(clone)
