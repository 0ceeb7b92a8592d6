"""Customer tokens: how one looks, how one is issued, checked and digested.

    ov_<reference>_<secret><checksum>
       8 base62    30 base62  6 base62        48 ASCII characters in all

The reference is the customer's public name and no secret. The secret holds 178 random bits. The
checksum is the CRC32 of everything before it, so that typos and sprayed junk are refused without
asking the database. The database keeps only `digest_token(...)`, never the token.

Nothing in this module raises on what a caller from outside can send, and nothing here ever puts a
token into a message: what is secret travels as `Secret`, which shows itself as stars.
"""

import binascii
import hmac
import re
import secrets
from typing import Final, Generic, NoReturn, Self, TypeVar

import msgspec

ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PREFIX: Final = "ov_"
REFERENCE_LENGTH: Final = 8
SECRET_LENGTH: Final = 30
CHECKSUM_LENGTH: Final = 6
TOKEN_LENGTH: Final = len(PREFIX) + REFERENCE_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH
DIGEST_LENGTH: Final = 32

_REFERENCE: Final = re.compile(rf"[0-9A-Za-z]{{{REFERENCE_LENGTH}}}")
_TOKEN: Final = re.compile(
    rf"{PREFIX}([0-9A-Za-z]{{{REFERENCE_LENGTH}}})_[0-9A-Za-z]{{{SECRET_LENGTH + CHECKSUM_LENGTH}}}"
)

SecretValue = TypeVar("SecretValue", str, bytes)


class Secret(Generic[SecretValue]):
    """A text or byte string that must not be shown: `repr`, `str` and `format` give stars.

    `reveal()` is the only way to the value. Two secrets compare in constant time; a secret cannot
    be hashed, pickled or encoded by accident (TypeError).
    """

    __slots__ = ("__value",)
    __hash__ = None  # type: ignore[assignment]

    def __init__(self, value: SecretValue) -> None:
        self.__value: SecretValue = value

    def reveal(self) -> SecretValue:
        """Give the value itself, for the one place that needs it."""
        return self.__value

    def __repr__(self) -> str:
        return "********"

    def __format__(self, format_spec: str) -> str:
        return "********"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(_to_bytes(self.__value), _to_bytes(other.reveal()))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __reduce__(self) -> NoReturn:
        message = "a secret cannot be pickled"
        raise TypeError(message)


class ParsedToken(msgspec.Struct, frozen=True):
    """A token whose form and checksum are right; whether it is known, only the database says."""

    reference: str
    """The customer's public reference, 8 base62 characters."""
    token: Secret[str]
    """The whole token, for `digest_token`."""


def parse_token(text: str) -> ParsedToken | None:
    """Check form and checksum of a token without a database.

    Takes any string, of any length and content, and never raises. The work does not depend on
    what the string holds: a wrong length is refused at once, all else costs one match over 48
    characters and one CRC32. Returns None for everything that `issue_token` cannot have made.
    """
    if len(text) != TOKEN_LENGTH:
        return None
    match = _TOKEN.fullmatch(text)
    if match is None:
        return None
    if not hmac.compare_digest(text[-CHECKSUM_LENGTH:], _checksum(text[:-CHECKSUM_LENGTH])):
        return None
    return ParsedToken(reference=match[1], token=Secret(text))


def digest_token(token: str | Secret[str], pepper: bytes) -> bytes:
    """HMAC-SHA-256 of the whole token under the pepper: 32 bytes, the key of the look-up.

    Takes any string (lone surrogates too) and never raises on its content; distinct strings are
    digested from distinct bytes.
    """
    text = token.reveal() if isinstance(token, Secret) else token
    return hmac.digest(pepper, _to_bytes(text), "sha256")


def issue_token(reference: str) -> Secret[str]:
    """Make a new token for the customer with this public reference; show it once, keep its digest.

    Raises ValueError if the reference is not 8 base62 characters.
    """
    if _REFERENCE.fullmatch(reference) is None:
        message = f"a customer reference is {REFERENCE_LENGTH} base62 characters"
        raise ValueError(message)
    body = f"{PREFIX}{reference}_{_random_base62(SECRET_LENGTH)}"
    return Secret(body + _checksum(body))


def make_reference() -> str:
    """Make a random customer reference: 8 base62 characters, 47 bits, public."""
    return _random_base62(REFERENCE_LENGTH)


def _random_base62(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    """CRC32 of an ASCII string as 6 base62 digits, highest first."""
    rest = binascii.crc32(body.encode("ascii"))
    digits = []
    for _ in range(CHECKSUM_LENGTH):
        rest, digit = divmod(rest, len(ALPHABET))
        digits.append(ALPHABET[digit])
    return "".join(reversed(digits))


def _to_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
