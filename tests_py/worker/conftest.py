"""Every kind of adapter, and a fake of each provider that it talks to."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest

from tests_py.providers.stage import ScenarioServer
from tests_py.worker.adapters import open_adapters, open_fakes, opened
from worker.providers.base import Provider


@pytest.fixture(scope="module")
def fakes() -> Iterator[dict[str, ScenarioServer]]:
    with open_fakes() as fakes:
        yield fakes


@pytest.fixture
async def adapters() -> AsyncIterator[dict[str, Provider]]:
    async with opened(open_adapters) as adapters:
        yield adapters
