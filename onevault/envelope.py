"""Secrets at rest: the master key, what is derived from it, and the envelope around a secret.

The master key (32 bytes) comes from ONEVAULT_MASTER_KEY or from a file that only its owner can
read. It is never used itself: HKDF-SHA256 derives one key per purpose (token pepper, wrapping of
data keys, fingerprints, row tags). Each secret is encrypted with AES-256-GCM under a data key of
its own, which is wrapped under the master key. A sealed secret is

    version  key id  row tag  nonce  wrapped data key  nonce  ciphertext and tag
    1        8       8        12     32 + 16           12     n + 16               105 + n bytes

Both encryptions bind version ‖ key id ‖ identity of the row, so a sealed secret opens only in the
row for which it was sealed. The row tag is a keyed digest of that identity; it adds no safety, it
lets the error say "another row" instead of "damaged".

    OpenError       this sealed secret does not open
    ├── WrongKey        sealed under a master key that is not here
    ├── MovedRow        sealed for another row
    └── Damaged         not what was sealed

No message holds a secret or a part of one. While the master key is changed a second one is live,
ONEVAULT_MASTER_KEY_PREVIOUS or the file ONEVAULT_MASTER_KEY_PREVIOUS_FILE: `open` finds the right
one by its id, `seal` uses only the current one.
"""

import hashlib
import hmac
import os
from pathlib import Path
from typing import Final, NoReturn, Protocol, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onevault.master_key import create_master_key, read_master_key, read_master_key_file
from onevault.tokens import Secret

__all__ = [
    "Damaged",
    "KeySettings",
    "Keyring",
    "MovedRow",
    "OpenError",
    "WrongKey",
    "create_master_key",
    "load_keyring",
]

VERSION: Final = b"\x01"

_KEY_ID: Final = slice(1, 9)
_ROW_TAG: Final = slice(9, 17)
_WRAP_NONCE: Final = slice(17, 29)
_WRAPPED: Final = slice(29, 77)
_NONCE: Final = slice(77, 89)
_CIPHERTEXT: Final = slice(89, None)
_SHORTEST: Final = 105
_NONCE_BYTES: Final = 12
_DATA_KEY_BITS: Final = 256
_NO_PREVIOUS: Final = "ONEVAULT_MASTER_KEY_PREVIOUS_FILE names no file: put the second master key there, or unset it"


class OpenError(Exception):
    """A sealed secret does not open; the message shows nothing of it."""


class WrongKey(OpenError):
    """It was sealed under a master key that this gateway does not hold."""


class MovedRow(OpenError):
    """It was sealed for another row than the one it was found in."""


class Damaged(OpenError):
    """It is not what was sealed: cut, changed, or never a sealed secret."""


class KeySettings(Protocol):
    """The part of the settings that says where the master keys are."""

    @property
    def home(self) -> Path: ...
    @property
    def master_key(self) -> Secret[str] | None: ...
    @property
    def master_key_file(self) -> Path | None: ...
    @property
    def master_key_previous(self) -> Secret[str] | None: ...
    @property
    def master_key_previous_file(self) -> Path | None: ...


class Keyring:
    """What the gateway does with its master key, and with the previous one while it changes.

    `key_id` is the public name of the current master key: 16 hex digits, the first 8 bytes of the
    SHA-256 of a key derived from it. `pepper` (32 bytes) keys the digests of tokens. `peppers`
    holds it and the previous master key's, newest first, since digests made before a change are
    found under the older one.
    """

    __slots__ = ("_current", "_live")

    def __init__(self, current: Secret[bytes], previous: Secret[bytes] | None = None) -> None:
        self._current = _MasterKey(current)
        self._live = {self._current.id: self._current}
        if previous is not None:
            older = _MasterKey(previous)
            self._live.setdefault(older.id, older)

    @property
    def key_id(self) -> str:
        return self._current.id.hex()

    @property
    def live_key_ids(self) -> tuple[str, ...]:
        """The ids of all master keys that `open` can use, the current one first."""
        return tuple(key_id.hex() for key_id in self._live)

    @property
    def pepper(self) -> bytes:
        return self._current.pepper.reveal()

    @property
    def peppers(self) -> tuple[bytes, ...]:
        return tuple(key.pepper.reveal() for key in self._live.values())

    @property
    def retry_keys(self) -> tuple[bytes, ...]:
        """What idempotency keys and the bodies sent under them are digested with, newest first."""
        return tuple(key.retry_key.reveal() for key in self._live.values())

    def seal(self, secret: bytes, identity: bytes) -> bytes:
        """Encrypt a secret for the row with this identity, under a fresh data key.

        Two calls never give the same bytes; the result is 105 bytes longer than the secret.
        """
        return self._current.seal(secret, identity)

    def open(self, blob: bytes, identity: bytes) -> bytes:
        """Decrypt what was sealed for the row with this identity.

        Raises Damaged, WrongKey or MovedRow; never gives back anything but what was sealed.
        """
        if len(blob) < _SHORTEST or blob[:1] != VERSION:
            message = "this is no sealed secret, or its beginning is damaged"
            raise Damaged(message)
        key = self._live.get(blob[_KEY_ID])
        if key is None:
            message = (
                f"sealed under master key {blob[_KEY_ID].hex()}, which is not here; live are "
                f"{', '.join(self.live_key_ids)}: set ONEVAULT_MASTER_KEY_PREVIOUS to that key"
            )
            raise WrongKey(message)
        if not hmac.compare_digest(key.tag_row(identity), blob[_ROW_TAG]):
            message = "this secret was sealed for another row and does not open in this one"
            raise MovedRow(message)
        opened = key.open(blob, identity)
        if opened is None:
            message = "this sealed secret is damaged: it fails its integrity check"
            raise Damaged(message)
        return opened

    def fingerprint(self, secret: bytes) -> bytes:
        """Give a keyed digest (32 bytes) that tells whether a secret changed: for hash diffs.

        It depends on the current master key, so it changes with it, as the sealed bytes do.
        """
        return self.fingerprints(secret)[0]

    def fingerprints(self, secret: bytes) -> tuple[bytes, ...]:
        """The fingerprints under all live master keys, the current one's first."""
        return tuple(hmac.digest(key.fingerprint_key.reveal(), secret, "sha256") for key in self._live.values())

    def __repr__(self) -> str:
        return f"Keyring(live_key_ids={self.live_key_ids})"

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a keyring cannot be pickled"
        raise TypeError(message)


class _MasterKey:
    """One master key, as the keys derived from it.

    `open` gives None instead of raising, so that no traceback has a frame with a data key in it.
    """

    __slots__ = ("_tag_key", "_wrapping", "fingerprint_key", "id", "pepper", "retry_key")

    def __init__(self, master: Secret[bytes]) -> None:
        self.id = hashlib.sha256(_derive(master, b"onevault key id v1").reveal()).digest()[:8]
        self.pepper = _derive(master, b"onevault token pepper v1")
        self.fingerprint_key = _derive(master, b"onevault fingerprint v1")
        self.retry_key = _derive(master, b"onevault idempotency v1")
        self._tag_key = _derive(master, b"onevault row tag v1")
        self._wrapping = AESGCM(_derive(master, b"onevault data key wrapping v1").reveal())

    def seal(self, secret: bytes, identity: bytes) -> bytes:
        bound = VERSION + self.id + identity
        data_key = AESGCM.generate_key(_DATA_KEY_BITS)
        wrap_nonce, nonce = os.urandom(_NONCE_BYTES), os.urandom(_NONCE_BYTES)
        return b"".join(
            (
                VERSION,
                self.id,
                self.tag_row(identity),
                wrap_nonce,
                self._wrapping.encrypt(wrap_nonce, data_key, bound),
                nonce,
                AESGCM(data_key).encrypt(nonce, secret, bound),
            )
        )

    def open(self, blob: bytes, identity: bytes) -> bytes | None:
        bound = VERSION + self.id + identity
        try:
            data_key = self._wrapping.decrypt(blob[_WRAP_NONCE], blob[_WRAPPED], bound)
            return AESGCM(data_key).decrypt(blob[_NONCE], blob[_CIPHERTEXT], bound)
        except InvalidTag:
            return None

    def tag_row(self, identity: bytes) -> bytes:
        return hmac.digest(self._tag_key.reveal(), identity, "sha256")[:8]


def load_keyring(settings: KeySettings) -> Keyring:
    """Read the master key, and the previous one if there is one, and derive what they serve for.

    Raises MasterKeyMissing, MasterKeyMalformed, MasterKeyExposed (see onevault/master_key.py).
    """
    if settings.master_key is not None:
        current = read_master_key(settings.master_key, "ONEVAULT_MASTER_KEY")
    else:
        current = read_master_key_file(settings.master_key_file or settings.home / "master.key")
    if settings.master_key_previous is not None:
        return Keyring(current, read_master_key(settings.master_key_previous, "ONEVAULT_MASTER_KEY_PREVIOUS"))
    if settings.master_key_previous_file is not None:
        return Keyring(current, read_master_key_file(settings.master_key_previous_file, _NO_PREVIOUS))
    return Keyring(current)


def _derive(master: Secret[bytes], purpose: bytes) -> Secret[bytes]:
    derivation = HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose)
    return Secret(derivation.derive(master.reveal()))
