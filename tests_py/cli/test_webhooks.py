"""`onevault webhook` without a worker, and what a change of the master key does to its secrets."""

from __future__ import annotations

import base64
import json

from onevault import key_calls
from onevault.envelope import Keyring, create_master_key
from onevault.master_key import read_master_key_file
from tests_py.cli.conftest import Cli

CREATE = ("customer", "create", "acme", "--webhook-url", "https://example.com/hook")


def test_the_secret_is_printed_once_and_kept_sealed_through_a_change_of_the_master_key(cli: Cli) -> None:
    made = cli(*CREATE)
    fields = dict(line.split(maxsplit=1) for line in made.stdout.splitlines())
    assert fields["webhook_secret"].startswith("whsec_")
    assert made.stderr == "Keep the token and the webhook's secret: they are shown this once.\n"
    raw = base64.b64decode(fields["webhook_secret"].removeprefix("whsec_"), validate=True)
    assert len(raw) == 32
    second = cli("webhook", "secret", "ACME")
    assert "number          2" in second.stdout
    assert second.stderr.splitlines() == [
        "Keep the secret: it is shown this once.",
        "For 24 hours events are signed with the one before it too.",
    ]

    old, new = cli.home / "master.key", cli.home / "master.key.next"
    create_master_key(new)
    both = {"ONEVAULT_MASTER_KEY_FILE": str(new), "ONEVAULT_MASTER_KEY_PREVIOUS_FILE": str(old)}
    (_, previous) = cli.json("keys", "status", **both)["keys"]
    assert previous["webhook_secrets"] == 2
    assert cli.json("keys", "rotate", **both)["left"] == []
    keyring = Keyring(read_master_key_file(new))
    with cli.database.connect() as connection:
        names = connection.execute(b"select s.row_hk from ops.sealed_secret as s where s.kind = 'webhook secret'")
        secrets = [key_calls.read_secret(connection, "webhook secret", row[0]) for row in names.fetchall()]
    assert raw in [keyring.open(secret.sealed, secret.row_hk) for secret in secrets if secret]


def test_without_a_worker_a_test_says_so_and_waits_for_one(cli: Cli) -> None:
    cli.json(*CREATE)
    said = cli.refusal("webhook", "test", "acme", "--wait", "1")
    assert said.startswith("not delivered: no worker took it within 1 seconds. Start one with `onevault work`")
    assert cli.refusal("webhook", "test", "nobody").startswith("There is no customer 'nobody'.")
    found = json.loads(cli("doctor", "--json").stdout)
    (check,) = [row for row in found if row["check_name"] == "webhooks"]
    assert (
        check["finding"] == "1 events wait, 0 were given up in the last day; 0 customers have an address and no secret"
    )
