"""Fixtures for every test: a PostgreSQL, a database of one's own, a running gateway."""

from __future__ import annotations

import functools
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests_py.support.cluster import ClonedDatabase, Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED, promise_template

StartGateway = Callable[..., Gateway]

# A busy machine is slow at everything and proves nothing.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--figures FILE`: tests that measure add a line of JSON to it."""
    parser.addoption("--figures", metavar="FILE", help="file that gets a line of JSON for each test that measures")


def pytest_configure(config: pytest.Config) -> None:
    """What tests begin from is made once for a run, whichever process needs it first."""
    if not hasattr(config, "workerinput"):
        config.add_cleanup(functools.partial(shutil.rmtree, promise_template(os.environ)))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first: in the end nobody waits for one that has just begun."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The embedded PostgreSQL of this session, with databases to clone."""
    cluster = Cluster()
    try:
        yield cluster
    finally:
        cluster.close()


@pytest.fixture
def database(cluster: Cluster) -> Iterator[ClonedDatabase]:
    """A migrated database for this test alone."""
    clone = cluster.clone()
    try:
        yield clone
    finally:
        cluster.drop(clone)


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory for this test alone that the system user of PostgreSQL may pass through."""
    path = Path(tempfile.mkdtemp(prefix="ov-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A data directory for this test alone."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def start_gateway(cluster: Cluster, tmp_path: Path) -> Iterator[StartGateway]:
    """`start_gateway(fronts=1, workers=1, ONEVAULT_…="…")`: a running gateway on its own database.

    Each call starts another one. All are stopped at the end, and must end with exit code 0.
    """
    started: list[Gateway] = []
    clones: list[ClonedDatabase] = []

    def start(*, fronts: int = 1, workers: int = 1, **environ: str) -> Gateway:
        home = tmp_path / f"home{len(started) + 1}"
        home.mkdir(mode=0o700)
        clones.append(cluster.clone(STOCKED))
        gateway = Gateway(clones[-1], home, environ)
        started.append(gateway)
        for _ in range(workers):
            gateway.start_worker()
        for _ in range(fronts):
            gateway.start_front()
        if fronts:
            gateway.wait_until_ready()
        return gateway

    yield start
    errors = []
    for gateway in started:
        try:
            gateway.stop()
        except AssertionError as error:
            errors.append(error)
    for clone in clones:
        cluster.drop(clone)
    if errors:
        raise errors[0]


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """One running gateway: a front and a worker."""
    return start_gateway()
