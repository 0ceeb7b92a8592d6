"""Sealed secrets open only whole, only in their row, only under their key, and show nothing."""

import base64
import copy
import hashlib
import hmac
import os
import pickle
import stat
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import assume, given
from hypothesis import strategies as st

from onevault.envelope import (
    Damaged,
    Keyring,
    MovedRow,
    OpenError,
    WrongKey,
    create_master_key,
    load_keyring,
)
from onevault.master_key import (
    MasterKeyError,
    MasterKeyExposed,
    MasterKeyMalformed,
    MasterKeyMissing,
    read_master_key,
)
from onevault.tokens import Secret

MASTER = bytes(range(32))
OTHER_MASTER = bytes(range(100, 132))
KEYRING = Keyring(Secret(MASTER))
CANARY = b"sk-canary-4f8a1c"
IDENTITY = b"row 1"

secrets_of_any_size = st.binary(max_size=300)
identities = st.binary(max_size=80)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The part of the settings that `load_keyring` reads."""

    home: Path = Path("/nonexistent")
    master_key: Secret[str] | None = None
    master_key_file: Path | None = None
    master_key_previous: Secret[str] | None = None
    master_key_previous_file: Path | None = None


def derived(purpose: bytes, master: bytes = MASTER) -> bytes:
    """HKDF-SHA256 for one block, written out from RFC 5869."""
    extracted = hmac.digest(b"\x00" * 32, master, "sha256")
    return hmac.digest(extracted, purpose + b"\x01", "sha256")


def encoded(master: bytes) -> str:
    return base64.urlsafe_b64encode(master).decode()


# The envelope


@given(secrets_of_any_size, identities)
def test_what_is_sealed_opens_in_its_row(secret: bytes, identity: bytes) -> None:
    blob = KEYRING.seal(secret, identity)
    assert KEYRING.open(blob, identity) == secret
    assert len(blob) == len(secret) + 105


@given(st.binary(min_size=8, max_size=300), identities)
def test_a_sealed_secret_shows_nothing_and_is_never_the_same(secret: bytes, identity: bytes) -> None:
    first, second = KEYRING.seal(secret, identity), KEYRING.seal(secret, identity)
    assert secret not in first
    unchanged = first[:17]
    assert second[:17] == unchanged
    for part in (slice(17, 29), slice(29, 77), slice(77, 89), slice(89, None)):
        assert first[part] != second[part]


@given(secrets_of_any_size, identities, identities)
def test_a_sealed_secret_moved_to_another_row_does_not_open(secret: bytes, identity: bytes, other: bytes) -> None:
    assume(identity != other)
    with pytest.raises(MovedRow):
        KEYRING.open(KEYRING.seal(secret, identity), other)


@given(secrets_of_any_size, identities, identities)
def test_a_forged_row_tag_does_not_move_a_secret(secret: bytes, identity: bytes, other: bytes) -> None:
    assume(identity != other)
    blob, target = KEYRING.seal(secret, identity), KEYRING.seal(b"", other)
    with pytest.raises(Damaged):
        KEYRING.open(blob[:9] + target[9:17] + blob[17:], other)


def test_no_single_bit_can_be_flipped() -> None:
    blob = KEYRING.seal(CANARY, IDENTITY)
    for place in range(len(blob) * 8):
        changed = bytearray(blob)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(OpenError):
            KEYRING.open(bytes(changed), IDENTITY)


@given(secrets_of_any_size, st.data())
def test_nothing_but_the_sealed_bytes_opens(secret: bytes, data: st.DataObject) -> None:
    blob = KEYRING.seal(secret, IDENTITY)
    start = data.draw(st.integers(0, len(blob)))
    end = data.draw(st.integers(start, len(blob)))
    changed = blob[:start] + data.draw(st.binary(max_size=40)) + blob[end:]
    assume(changed != blob)
    with pytest.raises(OpenError):
        KEYRING.open(changed, IDENTITY)


@given(st.binary(max_size=400))
def test_junk_does_not_open_and_raises_only_open_errors(junk: bytes) -> None:
    for blob in (junk, b"\x01" + junk, KEYRING.seal(b"", IDENTITY)[:9] + junk):
        with pytest.raises(OpenError):
            KEYRING.open(blob, IDENTITY)


def test_parts_of_two_sealed_secrets_of_one_row_do_not_combine() -> None:
    first, second = KEYRING.seal(b"old", IDENTITY), KEYRING.seal(b"new", IDENTITY)
    with pytest.raises(Damaged):
        KEYRING.open(first[:77] + second[77:], IDENTITY)


def test_each_error_tells_its_case() -> None:
    blob = KEYRING.seal(CANARY, IDENTITY)
    with pytest.raises(Damaged, match="no sealed secret"):
        KEYRING.open(blob[:104], IDENTITY)
    with pytest.raises(Damaged, match="no sealed secret"):
        KEYRING.open(b"\x02" + blob[1:], IDENTITY)
    with pytest.raises(Damaged, match="integrity check"):
        KEYRING.open(blob + b"\x00", IDENTITY)
    with pytest.raises(MovedRow, match="another row"):
        KEYRING.open(blob, b"row 2")
    with pytest.raises(WrongKey, match=KEYRING.key_id):
        Keyring(Secret(OTHER_MASTER)).open(blob, IDENTITY)


def test_the_bytes_are_as_documented() -> None:
    blob = KEYRING.seal(CANARY, IDENTITY)
    bound = blob[:9] + IDENTITY
    wrapping = AESGCM(derived(b"onevault data key wrapping v1"))
    data_key = wrapping.decrypt(blob[17:29], blob[29:77], bound)
    assert len(data_key) == 32
    assert AESGCM(data_key).decrypt(blob[77:89], blob[89:], bound) == CANARY
    assert blob[1:9].hex() == KEYRING.key_id


# What the keyring derives


def test_pepper_and_key_id_are_derived_as_documented() -> None:
    assert KEYRING.pepper == derived(b"onevault token pepper v1")
    key_id_key = derived(b"onevault key id v1")
    assert KEYRING.key_id == hashlib.sha256(key_id_key).hexdigest()[:16]


@given(secrets_of_any_size, secrets_of_any_size)
def test_fingerprints_tell_equal_from_unequal_and_need_the_key(first: bytes, second: bytes) -> None:
    same = KEYRING.fingerprint(first) == KEYRING.fingerprint(second)
    assert same is (first == second)
    assert len(KEYRING.fingerprint(first)) == 32
    assert KEYRING.fingerprint(first) != Keyring(Secret(OTHER_MASTER)).fingerprint(first)
    assert KEYRING.fingerprint(first) not in {
        hashlib.sha256(first).digest(),
        hmac.digest(KEYRING.pepper, first, "sha256"),
        hmac.digest(MASTER, first, "sha256"),
    }


def test_two_master_keys_live_while_one_replaces_the_other() -> None:
    old, new = KEYRING, Keyring(Secret(OTHER_MASTER))
    both = Keyring(Secret(OTHER_MASTER), Secret(MASTER))

    assert both.open(old.seal(CANARY, IDENTITY), IDENTITY) == CANARY
    assert new.open(both.seal(CANARY, IDENTITY), IDENTITY) == CANARY
    with pytest.raises(WrongKey):
        old.open(both.seal(CANARY, IDENTITY), IDENTITY)
    with pytest.raises(MovedRow):
        both.open(old.seal(CANARY, IDENTITY), b"row 2")
    assert both.key_id == new.key_id
    assert both.live_key_ids == (new.key_id, old.key_id)
    assert both.peppers == (new.pepper, old.pepper)
    assert both.fingerprint(CANARY) == new.fingerprint(CANARY)


def test_the_same_key_given_twice_is_one_key() -> None:
    assert Keyring(Secret(MASTER), Secret(MASTER)).live_key_ids == (KEYRING.key_id,)


# Where the master key comes from


@pytest.mark.parametrize(
    "text",
    [
        MASTER.hex(),
        MASTER.hex().upper(),
        base64.b64encode(MASTER).decode(),
        base64.urlsafe_b64encode(MASTER).decode(),
        base64.b64encode(MASTER).decode().rstrip("="),
        f"  {base64.b64encode(MASTER).decode()}\n",
    ],
)
def test_the_master_key_is_read_in_hex_and_base64(text: str) -> None:
    assert load_keyring(Settings(master_key=Secret(text))).key_id == KEYRING.key_id


@given(st.binary(min_size=32, max_size=32).filter(lambda key: len(set(key)) >= 16))
def test_all_forms_of_a_master_key_are_the_same_key(master: bytes) -> None:
    forms = [master.hex(), base64.b64encode(master).decode(), encoded(master)]
    forms.append(encoded(master).rstrip("="))
    assert all(read_master_key(Secret(form), "test") == Secret(master) for form in forms)


@pytest.mark.parametrize(
    "text",
    [
        "change-me",
        "canary" * 8,
        MASTER[:31].hex(),
        MASTER.hex() + "00",
        encoded(MASTER[:31]),
        encoded(MASTER + b"\x00"),
        "A" * 43 + "=",
        "0" * 64,
        "\ud800" * 43,
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(MasterKeyMalformed, match="ONEVAULT_MASTER_KEY holds no master key") as one:
        load_keyring(Settings(master_key=Secret(text)))
    assert text not in str(one.value)
    with pytest.raises(MasterKeyMalformed, match="ONEVAULT_MASTER_KEY_PREVIOUS"):
        load_keyring(Settings(master_key=Secret(encoded(MASTER)), master_key_previous=Secret(text)))


def test_the_environment_goes_before_the_file_and_the_previous_key_is_read(tmp_path: Path) -> None:
    create_master_key(tmp_path / "master.key")
    settings = Settings(
        home=tmp_path, master_key=Secret(encoded(OTHER_MASTER)), master_key_previous=Secret(MASTER.hex())
    )
    keyring = load_keyring(settings)
    assert keyring.live_key_ids == (Keyring(Secret(OTHER_MASTER)).key_id, KEYRING.key_id)


def test_a_created_master_key_is_private_random_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "home" / "master.key"
    for mask in (0o000, 0o777):
        path.unlink(missing_ok=True)
        path.parent.mkdir(exist_ok=True)
        before = os.umask(mask)
        try:
            assert create_master_key(path)
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    key_id = load_keyring(Settings(home=path.parent)).key_id
    assert not create_master_key(path)
    assert load_keyring(Settings(master_key_file=path)).key_id == key_id
    assert [file.name for file in path.parent.iterdir()] == ["master.key"]
    assert create_master_key(tmp_path / "second.key")
    assert load_keyring(Settings(master_key_file=tmp_path / "second.key")).key_id != key_id


def test_processes_that_start_at_once_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "master.key"

    def start(_: int) -> tuple[bool, str]:
        return create_master_key(path), load_keyring(Settings(home=tmp_path)).key_id

    with ThreadPoolExecutor(16) as pool:
        started = list(pool.map(start, range(64)))
    assert sum(made for made, _ in started) == 1
    assert len({key_id for _, key_id in started}) == 1


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o602, 0o610])
def test_a_file_that_others_can_use_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "master.key"
    create_master_key(path)
    path.chmod(mode)
    with pytest.raises(MasterKeyExposed, match=f"mode 0{mode:o}: run `chmod 600"):
        load_keyring(Settings(home=tmp_path))
    path.chmod(0o400)
    load_keyring(Settings(home=tmp_path))


def test_a_missing_unreadable_or_unwritable_file_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(MasterKeyMissing, match="set ONEVAULT_MASTER_KEY"):
        load_keyring(Settings(home=tmp_path))
    (tmp_path / "master.key").mkdir()
    with pytest.raises(MasterKeyError, match="cannot read the master key file"):
        load_keyring(Settings(home=tmp_path))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(MasterKeyError, match="cannot write the master key"):
        create_master_key(tmp_path / "file" / "master.key")
    (tmp_path / "file").chmod(0o600)
    with pytest.raises(MasterKeyMalformed, match="file holds no master key"):
        load_keyring(Settings(master_key_file=tmp_path / "file"))


# Nothing shows a secret


def test_a_keyring_shows_only_key_ids_and_is_not_written_by_accident() -> None:
    assert repr(KEYRING) == f"Keyring(live_key_ids=('{KEYRING.key_id}',))"
    assert copy.deepcopy({"keys": KEYRING})["keys"] is KEYRING
    assert copy.copy(KEYRING) is KEYRING
    with pytest.raises(TypeError):
        pickle.dumps(KEYRING)
    with pytest.raises(TypeError):
        msgspec.json.encode(KEYRING)


def _open_with_another_key() -> None:
    Keyring(Secret(OTHER_MASTER)).open(KEYRING.seal(CANARY, IDENTITY), IDENTITY)


def _open_in_another_row() -> None:
    KEYRING.open(KEYRING.seal(CANARY, IDENTITY), b"row 2")


def _open_damaged() -> None:
    KEYRING.open(KEYRING.seal(CANARY, IDENTITY)[:-1] + b"\x00\x00", IDENTITY)


def _read_malformed_key() -> None:
    read_master_key(Secret(CANARY.decode()), "ONEVAULT_MASTER_KEY")


@pytest.mark.parametrize("fails", [_open_with_another_key, _open_in_another_row, _open_damaged, _read_malformed_key])
def test_no_traceback_shows_a_secret_even_with_locals(fails: Callable[[], None]) -> None:
    with pytest.raises((OpenError, MasterKeyError)) as caught:
        fails()
    lines = traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    shown = "".join(lines)
    assert "sk-canary" not in shown
    for hidden in (MASTER, OTHER_MASTER, KEYRING.pepper, derived(b"onevault row tag v1")):
        assert repr(hidden) not in shown
        assert hidden.hex() not in shown
    assert caught.value.__context__ is None
