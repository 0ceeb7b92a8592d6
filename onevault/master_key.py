"""The master key of the gateway: 32 random bytes, where they come from, and who may read them.

ONEVAULT_MASTER_KEY goes before the file (ONEVAULT_MASTER_KEY_FILE, else master.key in the data
directory), which must be readable by its owner alone. Both hold the key as 64 hex digits, or in
base64 or base64url, padded or not. The second key, while one is changed for another, comes the
same way from ONEVAULT_MASTER_KEY_PREVIOUS or ONEVAULT_MASTER_KEY_PREVIOUS_FILE.

    MasterKeyError              the gateway cannot start; the message says how to mend it
    ├── MasterKeyMissing            neither in the environment nor in the file
    ├── MasterKeyMalformed          not 32 random bytes in hex or base64
    └── MasterKeyExposed            the file can be read or written by others

No message holds a key or a part of one.
"""

import base64
import binascii
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from onevault.errors import OperatorError
from onevault.tokens import Secret

MASTER_KEY_BYTES: Final = 32

# 32 random bytes hold 30 distinct values on average; fewer than 16 is a placeholder, not a key.
_FEWEST_DISTINCT_BYTES: Final = 16
_HEX: Final = re.compile(r"[0-9A-Fa-f]{64}")
_BASE64: Final = re.compile(r"[0-9A-Za-z+/_-]{43}=?")


class MasterKeyError(OperatorError):
    """The gateway cannot start with this master key; the message says how to mend it."""


class MasterKeyMissing(MasterKeyError):
    """There is no master key in the environment and no file."""


class MasterKeyMalformed(MasterKeyError):
    """What was given is not 32 random bytes in hex, base64 or base64url."""


class MasterKeyExposed(MasterKeyError):
    """Others than its owner can read or write the file."""


def create_master_key(path: Path) -> bool:
    """Write a new random master key to `path` (base64url, mode 0600) unless there is a file.

    Gives True if it made one and False if one was there, which is left untouched; of several
    processes that start at once one makes it, and none ever reads half a key. Raises
    MasterKeyError if the directory cannot be written.
    """
    if path.exists():
        return False
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write_private(draft, base64.urlsafe_b64encode(os.urandom(MASTER_KEY_BYTES)) + b"\n")
            made = _link_if_absent(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        _flush_directory(path.parent)
    except OSError as error:
        message = f"cannot write the master key to {path}: {error.strerror}"
        raise MasterKeyError(message) from error
    return made


def read_master_key_file(path: Path, missing: str | None = None) -> Secret[bytes]:
    """Read a master key from a file; `missing` says what to do when there is none.

    Raises MasterKeyMissing, MasterKeyExposed or MasterKeyMalformed, and MasterKeyError for a file
    that cannot be read.
    """
    try:
        with path.open("rb") as file:
            mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
            text = Secret(file.read(4096).decode("ascii", "replace"))
    except FileNotFoundError:
        text = None
    except OSError as error:
        message = f"cannot read the master key file {path}: {error.strerror}"
        raise MasterKeyError(message) from error
    if text is None:
        message = missing or (
            f"there is no master key: set ONEVAULT_MASTER_KEY (32 random bytes in base64 or hex), "
            f"or let `onevault up` create {path}"
        )
        raise MasterKeyMissing(message)
    if mode & 0o077:
        message = f"the master key file {path} has mode {mode:04o}: run `chmod 600 {path}`"
        raise MasterKeyExposed(message)
    return read_master_key(text, str(path))


def read_master_key(text: Secret[str], source: str) -> Secret[bytes]:
    """Decode a master key; `source` is the variable or file that the error names.

    Raises MasterKeyMalformed.
    """
    key = _decode_key(text)
    if key is None:
        message = (
            f"{source} holds no master key: it must be 32 random bytes as 64 hex digits or in "
            "base64; make one with `openssl rand -base64 32`"
        )
        raise MasterKeyMalformed(message)
    return key


def _decode_key(text: Secret[str]) -> Secret[bytes] | None:
    given = text.reveal().strip()
    if _HEX.fullmatch(given):
        key = binascii.unhexlify(given)
    elif _BASE64.fullmatch(given):
        key = base64.b64decode(given.rstrip("=").translate(str.maketrans("-_", "+/")) + "=")
    else:
        return None
    return Secret(key) if len(set(key)) >= _FEWEST_DISTINCT_BYTES else None


def write_private(path: Path, content: bytes) -> None:
    """A new file that its owner alone can read, on the disk when this returns. Raises OSError."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _link_if_absent(source: Path, target: Path) -> bool:
    try:
        target.hardlink_to(source)
    except FileExistsError:
        return False
    return True


def _flush_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
