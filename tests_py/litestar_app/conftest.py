"""One running gateway for all tests of a module: they only ask, and leave nothing that the next one minds."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED


@pytest.fixture(scope="module")
def gateway(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A front and a worker on a database of this module's own."""
    home: Path = tmp_path_factory.mktemp("home")
    home.chmod(0o700)
    database = cluster.clone(STOCKED)
    gateway = Gateway(database, home, {})
    gateway.start_worker()
    gateway.start_front()
    gateway.wait_until_ready()
    yield gateway
    gateway.stop()
    cluster.drop(database)
