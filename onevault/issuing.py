"""What only a process with the master key can do: issue tokens, seal keys of providers and exports, make secrets."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from onevault import calls, export_calls, webhook_calls
from onevault.envelope import Keyring
from onevault.settings import read_dotenv
from onevault.tokens import Secret, digest_token, issue_token

_WEBHOOK_SECRET_BYTES: Final = 32


def read_environment() -> dict[str, str]:
    """The process's variables over those of a `.env` file, as the settings read them. Raises SettingsError."""
    dotenv = Path(".env")
    return {**(read_dotenv(dotenv) if dotenv.is_file() else {}), **{k: v for k, v in os.environ.items() if v}}


class IssuedToken(NamedTuple):
    """A token just made; it can be shown now and never again."""

    tenant: str
    customer: str
    token: Secret[str]
    token_id: str


def issue(connection: calls.Connection, keyring: Keyring, customer: str, settings: Mapping[str, Any]) -> IssuedToken:
    """Make a token for a customer; `settings` holds columns of admin.token (token_name, expires_at, budgets, …).

    Raises psycopg.Error with what the database refuses.
    """
    identity, reference = calls.identify_customer(connection, customer)
    token = issue_token(reference)
    sealed = keyring.seal(keyring.fingerprint(token.reveal().encode()), identity)
    digest = digest_token(token, keyring.pepper)
    row = calls.issue_token(connection, customer, digest, _hint(token), sealed, settings)
    return IssuedToken(row["tenant"], row["customer"], token, row["token_id"])


def set_key(
    connection: calls.Connection,
    keyring: Keyring,
    provider: str,
    key: Secret[str],
    *,
    customer: str | None = None,
    name: str | None = None,
    keeps_status: bool = False,
) -> bool:
    """Seal a key for its row and store it: the house's, or the customer's own, under `name`.

    True when it is another key than before. Raises psycopg.Error with what the database refuses.
    """
    secret = key.reveal().encode()
    identity = calls.identify_provider_key(connection, provider, customer, name)
    return calls.set_provider_key(
        connection,
        provider,
        customer,
        name,
        fingerprint=keyring.fingerprint(secret),
        sealed=keyring.seal(secret, identity),
        encryption_key_id=keyring.key_id,
        keeps_status=keeps_status,
    )


def make_webhook_secret(
    connection: calls.Connection, keyring: Keyring, customer: str, overlap: timedelta
) -> tuple[Secret[str], int]:
    """A new secret for a customer's webhook as he is to know it, and its number; those before it sign for `overlap`.

    Raises psycopg.Error with what the database refuses.
    """
    secret = secrets.token_bytes(_WEBHOOK_SECRET_BYTES)
    identity = webhook_calls.identify_secret(connection, customer)
    number = webhook_calls.set_secret(
        connection,
        customer,
        identity,
        fingerprint=keyring.fingerprint(secret),
        sealed=keyring.seal(secret, identity),
        encryption_key_id=keyring.key_id,
        overlap=overlap,
    )
    return Secret(f"whsec_{base64.b64encode(secret).decode()}"), number


def set_export_key(connection: calls.Connection, keyring: Keyring, export: str, key: Secret[str]) -> bool:
    """Seal a key for an export and store it; true when it is another than before.

    Raises psycopg.Error with what the database refuses.
    """
    secret = key.reveal().encode()
    return export_calls.set_key(
        connection,
        export,
        fingerprint=keyring.fingerprint(secret),
        sealed=keyring.seal(secret, export_calls.identify_export(connection, export)),
        encryption_key_id=keyring.key_id,
    )


def _hint(token: Secret[str]) -> str:
    """Its public part and last four characters, of which the checksum makes nothing secret."""
    text = token.reveal()
    return f"{text[:11]}…{text[-4:]}"
