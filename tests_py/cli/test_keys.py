"""`onevault keys`: a new master key, what is under which, and sealing everything anew."""

from __future__ import annotations

import json
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest

from onevault import key_calls
from onevault.envelope import Keyring, OpenError
from onevault.master_key import read_master_key_file
from onevault.rotation import rotate
from onevault.tokens import digest_token
from tests_py.cli.conftest import Cli


@pytest.fixture
def furnished(cli: Cli) -> Cli:
    """Two providers with a key of the house; a customer with a key of his own and two tokens, another with one."""
    for name, key in (("alpha", "sk-alpha"), ("beta", "sk-beta")):
        endpoint = "http://127.0.0.1:9/v1"
        assert cli("provider", "set", name, "--endpoint", endpoint, "--api-key-stdin", stdin=key).returncode == 0
    cli.json("customer", "create", "acme")
    cli.json("token", "issue", "acme", "--name", "second")
    cli.json("customer", "create", "other")
    cli.json("provider", "key", "set", "acme", "alpha", "--api-key-stdin", stdin="sk-acme")
    return cli


class Keys:
    """The old master key's file and a new one's, and the variables under which a command knows both."""

    def __init__(self, cli: Cli) -> None:
        self.old_file = cli.home / "master.key"
        made = cli.json("keys", "new")
        self.new_file, self.new_id = Path(made["path"]), made["master_key_id"]
        self.old, self.new = (read_master_key_file(path) for path in (self.old_file, self.new_file))
        self.both = {
            "ONEVAULT_MASTER_KEY_FILE": str(self.new_file),
            "ONEVAULT_MASTER_KEY_PREVIOUS_FILE": str(self.old_file),
        }
        self.only_new = {"ONEVAULT_MASTER_KEY_FILE": str(self.new_file)}


def secrets_of(cli: Cli) -> list[key_calls.SealedSecret]:
    with cli.database.connect() as connection:
        found = [key_calls.read_secret(connection, *row) for row in key_calls.list_foreign_secrets(connection, "")]
    assert all(found)
    return [secret for secret in found if secret]


def opens(keyring: Keyring, secret: key_calls.SealedSecret) -> bool:
    try:
        keyring.open(secret.sealed, secret.row_hk)
    except OpenError:
        return False
    return True


def rotate_on_its_own(cli: Cli, keyring: Keyring) -> Any:
    with cli.database.connect() as connection:
        return rotate(connection, keyring)


def test_a_new_key_is_private_and_never_written_over(cli: Cli) -> None:
    made = cli.json("keys", "new")
    path = Path(made["path"])
    assert path == cli.home / "master.key.next"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Keyring(read_master_key_file(path)).key_id == made["master_key_id"]
    before = path.read_bytes()
    assert cli.refusal("keys", "new") == f"{path} is there already: use it, or name another file"
    assert path.read_bytes() == before
    assert before.decode().strip() not in json.dumps(made)


def test_all_is_sealed_anew_and_the_old_key_opens_nothing(furnished: Cli) -> None:
    keys = Keys(furnished)
    before = {(s.kind, s.row_hk): Keyring(keys.old).open(s.sealed, s.row_hk) for s in secrets_of(furnished)}
    assert len(before) == 5
    status = furnished.json("keys", "status", **keys.both)
    assert (status["secrets_to_rotate"], status["tokens_to_rehash"], status["previous_can_go"]) == (5, 3, False)
    assert [
        (row["role"], row["house_keys"], row["customer_keys"], row["token_fingerprints"]) for row in status["keys"]
    ] == [
        ("current", 0, 0, 0),
        ("previous", 2, 1, 2),
    ]

    done = furnished.json("keys", "rotate", **keys.both)
    assert done == {"master_key_id": keys.new_id, "rewrapped": 5, "left": []}
    after = secrets_of(furnished)
    assert {(s.kind, s.row_hk): Keyring(keys.new).open(s.sealed, s.row_hk) for s in after} == before
    assert not any(opens(Keyring(keys.old), secret) for secret in after)
    assert {row["encryption_key_id"] for row in furnished.json("provider", "key", "list")} == {keys.new_id}
    status = furnished.json("keys", "status", **keys.both)
    assert (status["announced"], status["secrets_to_rotate"], status["previous_can_go"]) == (keys.new_id, 0, False)
    assert "3 tokens wait for their next use" in furnished.text("keys", "status", **keys.both)
    waiting = furnished.json("keys", "status", "--tokens", **keys.both)
    assert [row["customer"] for row in waiting] == ["acme", "acme", "other"]

    versions = furnished.database.query("select count(*) from gateway.ai_provider_key_s")
    assert furnished.json("keys", "rotate", **keys.both)["rewrapped"] == 0
    assert furnished.database.query("select count(*) from gateway.ai_provider_key_s") == versions


def test_the_same_key_from_the_environment_is_known_under_either_master_key(cli: Cli) -> None:
    given = {"OPENAI_API_KEY": "sk-openai"}
    assert cli("prepare", **given).returncode == 0
    token = json.loads(cli("prepare", **given).stdout)["token"]
    cli.database.query("update admin.provider_key set key_status = 'REVOKED' returning 1")
    keys = Keys(cli)
    again = cli("prepare", **given, **keys.both)
    assert json.loads(again.stdout)["token"] == token, "the demo's token is still its token"
    assert [row["key_status"] for row in cli.json("provider", "key", "list")] == ["REVOKED"]
    assert cli.json("keys", "rotate", **keys.both)["left"] == []
    assert cli("prepare", **given, **keys.both).returncode == 0
    assert [row["key_status"] for row in cli.json("provider", "key", "list")] == ["REVOKED"]


def test_what_does_not_open_is_named_and_left(furnished: Cli) -> None:
    keys = Keys(furnished)
    ((damaged,),) = furnished.database.query(
        "update gateway.ai_provider_key_s as s set api_key_encrypted = set_byte(api_key_encrypted, 110, "
        "get_byte(api_key_encrypted, 110) # 1) where provider_key_hk = admin.sp_identify_provider_key('beta', null, "
        "'default') and load_end_date is null returning api_key_encrypted"
    )
    result = furnished("keys", "rotate", "--json", **keys.both)
    assert result.returncode == 1
    told = json.loads(result.stdout)
    assert told["rewrapped"] == 4
    ((kind, name, reason),) = [tuple(left.values()) for left in told["left"]]
    assert (kind, name) == ("house key", "beta, key default")
    assert "damaged" in reason
    assert damaged in [secret.sealed for secret in secrets_of(furnished)]
    result = furnished("keys", "rotate", **keys.both)
    assert result.returncode == 1
    assert "left as it is: house key beta, key default" in result.stderr
    without = furnished("keys", "rotate", **keys.only_new)
    assert without.returncode == 1
    assert "is not here" in without.stderr


def test_one_that_is_changed_meanwhile_is_not_overwritten(furnished: Cli) -> None:
    """Between reading and writing: a set key waits in an open transaction, and the rotation for it."""
    keys = Keys(furnished)
    keyring = Keyring(keys.new, keys.old)
    ((row_hk,),) = furnished.database.query("select admin.sp_identify_provider_key('alpha', 'acme', null)")
    changed = Keyring(keys.old).seal(b"sk-changed", row_hk)
    with furnished.database.connect(autocommit=False) as dba, ThreadPoolExecutor(1) as pool:
        dba.execute(
            "select admin.sp_set_provider_key('alpha', 'acme', null, %s, %s, %s)",
            (b"another", changed, Keyring(keys.old).key_id),
        )
        running = pool.submit(rotate_on_its_own, furnished, keyring)
        with furnished.database.connect() as observer:
            wait_until_blocked(observer)
        dba.commit()
        done = running.result(60)
    assert done.left == ()
    (now,) = [secret for secret in secrets_of(furnished) if secret.row_hk == row_hk]
    assert keyring.open(now.sealed, row_hk) == b"sk-changed"
    assert now.master_key_id == keys.new_id, "and it was sealed anew in a second look"


def test_two_at_once_seal_each_secret_once(furnished: Cli) -> None:
    keys = Keys(furnished)
    keyring = Keyring(keys.new, keys.old)
    start = threading.Barrier(4)

    def run(_: int) -> Any:
        start.wait(30)
        return rotate_on_its_own(furnished, keyring)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(run, range(4)))
    assert sum(report.rewrapped for report in done) == 5
    assert all(report.left == () for report in done)
    for table, rows in (("ai_provider_key_s", 4), ("customer_provider_keys_s", 2)):
        assert furnished.database.query(f"select count(*) from gateway.{table}") == [(rows,)]


def test_a_run_that_was_stopped_goes_on(furnished: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = Keys(furnished)
    keyring = Keyring(keys.new, keys.old)
    real, count = key_calls.rewrap_secret, []

    def stopping(*arguments: Any) -> bool:
        count.append(1)
        if len(count) == 3:
            raise psycopg.OperationalError
        return real(*arguments)

    monkeypatch.setattr(key_calls, "rewrap_secret", stopping)
    with pytest.raises(psycopg.OperationalError):
        rotate_on_its_own(furnished, keyring)
    assert sum(opens(Keyring(keys.new), secret) for secret in secrets_of(furnished)) == 2
    monkeypatch.undo()
    assert rotate_on_its_own(furnished, keyring).rewrapped == 3


def test_a_token_issued_meanwhile_counts_as_current(furnished: Cli) -> None:
    keys = Keys(furnished)
    furnished.json("token", "issue", "acme", "--name", "third", **keys.both)
    status = furnished.json("keys", "status", **keys.both)
    assert [row["tokens"] for row in status["keys"]] == [1, 3]
    missing = furnished.json("keys", "status", **keys.only_new)
    assert [row["role"] for row in missing["keys"]] == ["current", "missing"]
    assert "does not work now" in furnished.text("keys", "status", **keys.only_new)


def test_the_previous_key_comes_from_a_file_with_the_same_checks(furnished: Cli) -> None:
    keys = Keys(furnished)
    keys.old_file.chmod(0o640)
    assert f"run `chmod 600 {keys.old_file}`" in furnished.refusal("keys", "status", **keys.both)
    keys.old_file.unlink()
    assert furnished.refusal("keys", "status", **keys.both).startswith(
        "ONEVAULT_MASTER_KEY_PREVIOUS_FILE names no file"
    )


def test_a_digest_is_moved_by_the_door_of_the_front(furnished: Cli) -> None:
    keys = Keys(furnished)
    token = furnished.json("token", "issue", "other", "--name", "moved")["token"]
    furnished.json("keys", "rotate", **keys.both)
    old, new = (digest_token(token, Keyring(key).pepper) for key in (keys.old, keys.new))
    statement = "select gateway.sp_rehash_token(%s, %s, %s)"
    assert furnished.database.query(statement, old, new, keys.new_id, role="app") == [("done",)]
    assert [row["tokens"] for row in furnished.json("keys", "status", **keys.both)["keys"]] == [1, 3]


def wait_until_blocked(observer: psycopg.Connection[Any]) -> None:
    """Returns when somebody in this database waits for a lock."""
    deadline = threading.Event()
    for _ in range(600):
        row = observer.execute(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).fetchone()
        assert row is not None
        if row[0]:
            return
        deadline.wait(0.05)
    raise AssertionError("nobody waits")
