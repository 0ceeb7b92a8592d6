"""`onevault export`: keys of exports, and what a change of the master key does to them."""

from __future__ import annotations

import json

from onevault import key_calls
from onevault.envelope import Keyring, create_master_key
from onevault.master_key import read_master_key_file
from tests_py.cli.conftest import Cli


def test_a_key_is_sealed_shown_nowhere_and_kept_through_a_change_of_the_master_key(cli: Cli) -> None:
    key = "sk_test_51Mx"
    assert cli.json("export", "list") == []
    assert cli.refusal("export", "key", "set", "st", "--key-stdin", stdin=key).startswith("There is no export 'st'.")
    with cli.database.connect("dba") as connection:
        connection.execute("insert into admin.usage_export (export, kind, event_name) values ('st', 'STRIPE', 'used')")
    (check,) = [row for row in json.loads(cli("doctor", "--json").stdout) if row["check_name"] == "usage exports"]
    assert (check["is_ok"], check["finding"]) == (
        False,
        "1 active; 0 events wait, the oldest for 0 minutes; 0 are parked; 1 exports have no key",
    )
    assert cli.refusal("export", "key", "set", "st") == "name the key's source: --key-env VAR or --key-stdin"
    shown = cli.json("export", "key", "set", "ST", "--key-env", "STRIPE_KEY", STRIPE_KEY=key)
    assert (shown["export"], shown["has_key"]) == ("st", True)
    assert key not in json.dumps(shown)
    assert cli.json("export", "list") == [shown]

    old, new = cli.home / "master.key", cli.home / "master.key.next"
    create_master_key(new)
    both = {"ONEVAULT_MASTER_KEY_FILE": str(new), "ONEVAULT_MASTER_KEY_PREVIOUS_FILE": str(old)}
    assert cli.json("keys", "status", **both)["keys"][1]["export_keys"] == 1
    assert cli.json("keys", "rotate", **both)["left"] == []
    keyring = Keyring(read_master_key_file(new))
    with cli.database.connect() as connection:
        ((row_hk,),) = connection.execute(b"select s.row_hk from ops.sealed_secret as s where s.kind = 'export key'")
        secret = key_calls.read_secret(connection, "export key", row_hk)
    assert secret is not None
    assert keyring.open(secret.sealed, secret.row_hk) == key.encode()
