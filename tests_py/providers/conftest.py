"""What the SDKs share: a client each of the two generations of httpx, since each new one reads all certificates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest


@pytest.fixture(scope="module")
def web() -> Iterator[httpx.Client]:
    with httpx.Client(verify=False, trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def web2() -> Iterator[Any]:
    import httpx2

    with httpx2.Client(verify=False, trust_env=False, timeout=10) as client:
        yield client
