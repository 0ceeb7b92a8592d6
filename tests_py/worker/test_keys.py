"""Provider keys: one reading for many callers, a short memory, and nothing to see."""

from __future__ import annotations

import asyncio

import pytest

from onevault.envelope import Keyring
from onevault.tokens import Secret
from tests_py.worker.kit import KEY
from worker.calls import DatabaseAway, SealedKey
from worker.keys import ProviderKeys

ROW = b"provider key of acme"
KEYRING = Keyring(Secret(bytes(range(32))))


class Vault:
    def __init__(self, sealed: SealedKey | Exception | None) -> None:
        self.sealed = sealed
        self.readings = 0

    async def read(self, key: bytes) -> SealedKey | None:
        assert key == bytes.fromhex(KEY)
        self.readings += 1
        await asyncio.sleep(0.01)
        if isinstance(self.sealed, Exception):
            raise self.sealed
        return self.sealed


def sealed(secret: bytes = b"sk-1", identity: bytes = ROW, status: str = "ACTIVE") -> SealedKey:
    return SealedKey(KEYRING.seal(secret, ROW), KEYRING.key_id, status, identity)


async def test_one_reading_serves_all_who_ask_at_once_and_soon_after() -> None:
    vault = Vault(sealed())
    keys = ProviderKeys(vault.read, KEYRING)
    found = await asyncio.gather(*(keys.get(KEY) for _ in range(50)))
    assert {secret.reveal() for secret in found if secret} == {"sk-1"}
    await keys.get(KEY)
    assert vault.readings == 1
    assert "sk-1" not in repr(found) + repr(vars(keys))


async def test_a_changed_key_is_seen_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("worker.keys.KEPT_SECONDS", 0.05)
    vault = Vault(sealed())
    keys = ProviderKeys(vault.read, KEYRING)
    await keys.get(KEY)
    vault.sealed = sealed(b"sk-2")
    await asyncio.sleep(0.06)
    secret = await keys.get(KEY)
    assert secret is not None
    assert secret.reveal() == "sk-2"


@pytest.mark.parametrize(
    "found", [None, sealed(status="REVOKED"), sealed(identity=b"another row"), SealedKey(b"junk", None, "ACTIVE", ROW)]
)
async def test_what_is_not_there_or_does_not_open_is_no_key(found: SealedKey | None) -> None:
    vault = Vault(found)
    keys = ProviderKeys(vault.read, KEYRING)
    assert await keys.get(KEY) is None
    assert await keys.get(KEY) is None
    assert vault.readings == 1


async def test_a_database_that_is_away_is_not_remembered() -> None:
    vault = Vault(DatabaseAway("gone"))
    keys = ProviderKeys(vault.read, KEYRING)
    with pytest.raises(DatabaseAway):
        await keys.get(KEY)
    vault.sealed = sealed()
    assert await keys.get(KEY) is not None


async def test_a_caller_who_leaves_does_not_take_the_key_along() -> None:
    keys = ProviderKeys(Vault(sealed()).read, KEYRING)
    first = asyncio.create_task(keys.get(KEY))
    second = asyncio.create_task(keys.get(KEY))
    await asyncio.sleep(0)
    first.cancel()
    assert await second is not None
