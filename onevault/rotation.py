"""Changing the master key: everything that is sealed is sealed anew under the current one, while the gateway runs.

A secret is a transaction of its own, so that nothing waits for long and a run that was stopped goes on where it was.
Each becomes a new version of its row; one that somebody changes meanwhile is left as he made it and looked at once
more. Two runs at once do each other's work, not each other harm. Digests of tokens cannot be made without the tokens:
fronts do that at a token's next use (gateway.sp_rehash_token), once this has announced the key.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import psycopg

from onevault import key_calls
from onevault.calls import Connection, Row
from onevault.envelope import Keyring, OpenError

UNKNOWN: Final = "unknown"
KINDS: Final = {
    "house key": "house_keys",
    "customer key": "customer_keys",
    "token fingerprint": "token_fingerprints",
    "webhook secret": "webhook_secrets",
    "export key": "export_keys",
}
_PASSES: Final = 3
_LOCK_SECONDS: Final = 10
_CHANGED: Final = "somebody changed it meanwhile: run this once more"


class Left(NamedTuple):
    """A secret that is still under another master key, and why."""

    kind: str
    name: str
    reason: str


class Rotated(NamedTuple):
    """What a run did: how many secrets it sealed anew, and those it had to leave."""

    rewrapped: int
    left: tuple[Left, ...]


def rotate(connection: Connection, keyring: Keyring) -> Rotated:
    """Seal everything anew under the current master key. `connection`: the owner's, in autocommit mode.

    Raises psycopg.Error when the database is out of reach; what is done by then stays done.
    """
    connection.execute("select set_config('lock_timeout', %s, false)", (f"{_LOCK_SECONDS}s",))
    key_calls.announce_master_key(connection, keyring.key_id)
    rewrapped = 0
    left: list[Left] = []
    for _ in range(_PASSES):
        left.clear()
        changed = False
        for kind, row_hk in key_calls.list_foreign_secrets(connection, keyring.key_id):
            secret = key_calls.read_secret(connection, kind, row_hk)
            if secret is None or secret.master_key_id == keyring.key_id:
                continue
            reason = _rewrap(connection, keyring, secret)
            if reason is None:
                rewrapped += 1
            else:
                left.append(Left(kind, secret.name, reason))
                changed = changed or reason == _CHANGED
        if not changed:
            break
    return Rotated(rewrapped, tuple(left))


def _rewrap(connection: Connection, keyring: Keyring, secret: key_calls.SealedSecret) -> str | None:
    """Why one secret had to be left; None when it is sealed anew."""
    try:
        opened = keyring.open(secret.sealed, secret.row_hk)
    except OpenError as error:
        return str(error)
    sealed = keyring.seal(opened, secret.row_hk)
    try:
        done = key_calls.rewrap_secret(connection, secret, sealed, keyring.fingerprint(opened), keyring.key_id)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        return f"somebody held it for {_LOCK_SECONDS} seconds: run this once more"
    return None if done else _CHANGED


def read_status(connection: Connection, keyring: Keyring) -> Row:
    """How many secrets and tokens are under which master key, and whether the previous one can go.

    `keys` has a row for each master key that is here or that something is under; its `role` is current, previous or
    missing. What is under a missing key does not work now.
    """
    live = keyring.live_key_ids
    roles = dict(zip(live, ("current", "previous"), strict=False))
    keys = {key_id: _row(key_id, roles[key_id]) for key_id in live}

    def row_of(key_id: str) -> Row:
        return keys.setdefault(key_id, _row(key_id, UNKNOWN if key_id == UNKNOWN else "missing"))

    for counted in key_calls.count_secrets(connection):
        row_of(counted["master_key_id"])[KINDS[counted["kind"]]] += counted["secrets"]
    for counted in key_calls.count_tokens(connection):
        row_of(counted["master_key_id"])["tokens"] += counted["tokens"]
    current, *others = keys.values()
    secrets = sum(row[name] for row in others for name in KINDS.values())
    previous = live[1] if len(live) > 1 else None
    tokens = sum(row["tokens"] for row in others)
    return {
        "current": current["master_key_id"],
        "previous": previous,
        "announced": key_calls.read_announced_key(connection),
        "keys": list(keys.values()),
        "secrets_to_rotate": secrets,
        "tokens_to_rehash": tokens,
        "previous_can_go": None if previous is None else secrets == 0 and tokens == 0,
    }


def _row(key_id: str, role: str) -> Row:
    return {"master_key_id": key_id, "role": role, **dict.fromkeys(KINDS.values(), 0), "tokens": 0}
