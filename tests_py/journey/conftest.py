"""What journeys share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests_py.providers.anthropic import FakeAnthropic
from tests_py.providers.google import FakeGoogle
from tests_py.providers.openai import FakeOpenAI
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.played import House
from tests_py.support.template import STOCKED


@pytest.fixture(scope="session")
def played(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    clone = cluster.clone(STOCKED)
    home = tmp_path_factory.mktemp("sdks") / "home"
    home.mkdir(mode=0o700)
    gateway = Gateway(clone, home, {})
    with FakeOpenAI() as first, FakeAnthropic() as second, FakeGoogle() as third:
        gateway.start_worker()
        gateway.start_front()
        try:
            gateway.wait_until_ready()
            house = House(gateway, {"openai": first, "anthropic": second, "google": third})
            yield house
            house.close()
        finally:
            gateway.stop()
            cluster.drop(clone)
