"""What the front tells SQL of an `Idempotency-Key`: digests under the master key, and nothing for what is no key."""

from __future__ import annotations

import msgspec
import pytest

from litestar_app.errors import InvalidRequest
from litestar_app.idempotency import KeyDesk
from onevault.envelope import Keyring
from onevault.tokens import Secret
from tests_py.litestar_app.kit import decision, running_front

OLDER, NEWER = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))


def desk(*keys: Secret[bytes]) -> KeyDesk:
    return KeyDesk(Keyring(*keys).retry_keys)


def test_digests_tell_keys_bodies_and_routes_apart_and_hide_them() -> None:
    here = desk(NEWER)
    ((key, body),) = here.pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{}") or []
    assert (len(key), len(body)) == (64, 64)
    assert here.pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{ }") != [(key, body)]
    assert here.pairs({b"idempotency-key": b"abc"}, "/v1/y", b"{}") != [(key, body)]
    assert desk(OLDER).pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{}") != [(key, body)], "keyed by the master key"
    assert here.pairs({}, "/v1/x", b"{}") is None


def test_while_the_master_key_changes_both_digests_are_told() -> None:
    both = desk(NEWER, OLDER).pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{}")
    assert both == [
        *(desk(NEWER).pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{}") or []),
        *(desk(OLDER).pairs({b"idempotency-key": b"abc"}, "/v1/x", b"{}") or []),
    ]


@pytest.mark.parametrize("key", [b"", b"k" * 256, b"two words", b"tab\t", "café".encode(), b"nul\0"])
def test_what_is_no_key_is_refused(key: bytes) -> None:
    with pytest.raises(InvalidRequest) as refused:
        desk(NEWER).pairs({b"idempotency-key": key}, "/v1/x", b"{}")
    assert refused.value.param == "idempotency-key"


async def test_a_call_tells_digests_and_one_without_a_key_nothing() -> None:
    async with running_front() as desk:
        refused = decision(status="model_not_found", http_status=404, message="No.")
        desk.road.says = lambda _: refused
        await desk.post()
        await desk.post(headers={"idempotency-key": "a-telling-key"})
        plain, keyed = (msgspec.json.encode(ask) for ask in desk.road.asks)
        assert b"idempotency" not in plain
        assert b"telling" not in keyed
        ((key, _),) = desk.front.keys.pairs({b"idempotency-key": b"a-telling-key"}, "/v1/chat/completions", b"") or []
        assert [told for told, _ in msgspec.json.decode(keyed)["idempotency"]] == [key]
