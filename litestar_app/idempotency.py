"""`Idempotency-Key`: what SQL is told of it, which is digests only.

A key is the customer's own text and could hold anything, and a body is a prompt: both are told as HMAC-SHA-256 under
keys derived from the master key, so that nobody can guess at either. There is more than one pair of digests only while
the master key is being changed.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Final

from litestar_app.auth import Headers
from litestar_app.errors import InvalidRequest

LONGEST_KEY: Final = 255

Pair = tuple[str, str]
"""Digests of a key and of a body, in hex."""


class KeyDesk:
    """Digests idempotency keys: `secrets` are the keys to digest with, newest first."""

    def __init__(self, secrets: Sequence[bytes]) -> None:
        self._secrets = tuple(secrets)

    def pairs(self, headers: Headers, path: str, body: bytes) -> list[Pair] | None:
        """What SQL is told of a call's key; None for a call without one. Raises `InvalidRequest`.

        Another route makes another body: a key belongs to one call of one route.
        """
        key = headers.get(b"idempotency-key")
        if key is None:
            return None
        if not 0 < len(key) <= LONGEST_KEY or not all(0x21 <= sign <= 0x7E for sign in key):
            raise InvalidRequest(
                f"`Idempotency-Key` must be 1 to {LONGEST_KEY} printable characters without blanks, such as a UUID.",
                "idempotency-key",
            )
        route = path.encode("utf-8", "surrogatepass") + b"\0"
        return [
            (hmac.digest(secret, b"key\0" + key, "sha256").hex(), hmac.digest(secret, route + body, "sha256").hex())
            for secret in self._secrets
        ]

    def session(self, name: str | None) -> str | None:
        """What SQL is told of a conversation's name: a digest in hex."""
        if name is None:
            return None
        return hmac.digest(self._secrets[0], b"session\0" + name.encode("utf-8", "surrogatepass"), "sha256").hex()
