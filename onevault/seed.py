"""What a gateway begins with: a master key, the public price book, keys of the environment, a demo customer.

Everything is made once. What a DBA changes or deletes afterwards stays as he left it, at every later start. A start
at which nothing is new costs a few small queries.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import psycopg

from onevault import __version__, calls, price_calls
from onevault.database import Database
from onevault.envelope import Keyring, load_keyring
from onevault.issuing import issue, read_environment, set_key
from onevault.master_key import create_master_key
from onevault.settings import Settings
from onevault.tokens import Secret, digest_token, parse_token

if TYPE_CHECKING:
    from onevault.pricebook import BookOffer

DEMO: Final = "demo"
DEMO_TOKEN_FILE: Final = "demo.token"  # noqa: S105
ENVIRONMENT_KEY: Final = "environment"

# The sandbox is this process: nothing leaves the house.
_SANDBOX_COMPLIANCE: Final = ("GDPR", "HIPAA", "SOX")
_DEFAULT_OUTPUT_TOKENS: Final = 4096
_MAX_OUTPUT_TOKENS: Final = 16384


class SeedReport(NamedTuple):
    """What the start found or made."""

    token: Secret[str] | None
    """The demo customer's; None if it was revoked or the customer deleted."""
    token_file: Path
    """Where it is kept, readable by its owner alone."""
    new_keys: tuple[str, ...]
    """Providers whose key in the environment is another than before."""
    price_book: calls.Row | None
    """How many providers, models and prices changed; None when there was nothing new to read."""


def seed(settings: Settings, database: Database, environ: Mapping[str, str] | None = None) -> SeedReport:
    """Make what is missing; `environ` (default: the process's, over `.env`) holds the providers' keys.

    Raises MasterKeyError, and psycopg.Error when the database refuses.
    """
    if settings.master_key is None:
        create_master_key(settings.master_key_file or settings.home / "master.key")
    keyring = load_keyring(settings)
    with psycopg.connect(database.dsn("dba")) as connection:
        book = sync_price_book(connection) if price_calls.read_book_version(connection) != _book_version() else None
        new_keys = _store_keys(connection, keyring, read_environment() if environ is None else environ)
        file = settings.home / DEMO_TOKEN_FILE
        token = _find_demo_token(connection, keyring, file)
    return SeedReport(token, file, new_keys, book)


def sync_price_book(connection: calls.Connection) -> calls.Row:
    """Read the public price book and bring it in; tells how many providers, models and prices changed."""
    from onevault.pricebook import read_price_book

    offers = list(_offer_rows(read_price_book()))
    return price_calls.sync_price_book(connection, _book_version(), list(_provider_rows()), offers)


def compare_price_book(connection: calls.Connection) -> list[calls.Row]:
    """Read the public price book and tell what bringing it in would change in prices."""
    from onevault.pricebook import read_price_book

    return price_calls.compare_prices(connection, list(_offer_rows(read_price_book())))


def _book_version() -> str:
    from onevault.pricebook import price_book_version

    providers = hashlib.sha256(msgspec.json.encode(list(_provider_rows()))).hexdigest()[:12]
    return f"{price_book_version()}, onevault {__version__}, providers {providers}"


def _provider_rows() -> Iterable[dict[str, Any]]:
    """The known providers as rows of admin.provider."""
    from onevault.pricebook import PROVIDERS

    for provider in PROVIDERS.values():
        yield {
            "provider": provider.name,
            "provider_name": provider.display_name,
            "adapter_kind": provider.kind,
            "api_endpoint": provider.endpoint,
            "adapter_settings": dict(provider.settings),
            "needs_key": provider.key_variable is not None,
            "compliance_levels": _SANDBOX_COMPLIANCE if provider.kind == "sandbox" else (),
        }


def _offer_rows(book: Iterable[BookOffer]) -> Iterable[dict[str, Any]]:
    """The price book's rows as `sp_sync_price_book` takes them.

    Where the book does not tell how much a model can answer, no more than its context is expected of it, and a call
    that names no limit leaves most of a small context to the prompt.
    """
    for offer in book:
        context = offer.context_tokens
        longest = offer.max_output_tokens or min(_MAX_OUTPUT_TOKENS, context or _MAX_OUTPUT_TOKENS)
        usual = min(_DEFAULT_OUTPUT_TOKENS, longest, (context or longest * 4) // 4 or 1)
        yield {
            "provider": offer.provider,
            "model": offer.model,
            "upstream_model": offer.upstream_model,
            "capabilities": offer.capabilities,
            "surfaces": offer.surfaces,
            "context_tokens": context,
            "context_is_price_limit": False,
            "max_output_tokens": longest,
            "default_output_tokens": offer.default_output_tokens or usual,
            "is_active": not offer.deprecated,
            "prices": offer.prices,
            "other_prices": offer.other_prices,
            "valid_from": offer.valid_from,
            "valid_to": offer.valid_to,
        }


def _store_keys(connection: calls.Connection, keyring: Keyring, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Seal the keys that the environment holds; the same one as before changes nothing, not even one revoked."""
    from onevault.pricebook import PROVIDERS

    given = {
        provider.name: Secret(key)
        for provider in PROVIDERS.values()
        if provider.key_variable is not None and (key := environ.get(provider.key_variable, "").strip())
    }
    if not given:
        return ()
    current = {row["provider"] for row in calls.list_providers(connection)}
    kept = {
        (row["provider"], row["key_fingerprint"])
        for row in calls.list_provider_keys(connection)
        if row["customer"] is None and row["key_name"] == ENVIRONMENT_KEY
    }

    def is_kept(name: str, key: Secret[str]) -> bool:
        # Known under the master key before: sealing it anew is for `onevault keys rotate`.
        older = keyring.fingerprints(key.reveal().encode())[1:]
        return any((name, fingerprint.hex()[:8]) in kept for fingerprint in older)

    return tuple(
        name
        for name, key in given.items()
        if name in current
        and not is_kept(name, key)
        and set_key(connection, keyring, name, key, name=ENVIRONMENT_KEY, keeps_status=True)
    )


def _find_demo_token(connection: calls.Connection, keyring: Keyring, file: Path) -> Secret[str] | None:
    """The demo customer's token out of its file; a new one if the file has none that this database knows."""
    kept = _read_token(file)
    if kept is not None:
        for pepper in keyring.peppers:
            known = calls.find_token(connection, digest_token(kept, pepper))
            if known is not None:
                return kept if known["token_status"] == "ACTIVE" else None  # noqa: S105
    if calls.was_customer(connection, DEMO) is None:
        _make_demo_customer(connection)
    elif not calls.list_customers(connection, DEMO):
        return None
    issued = issue(connection, keyring, DEMO, {"token_name": "demo"})
    _write_token(file, issued.token)
    return issued.token


def _make_demo_customer(connection: calls.Connection) -> None:
    if not any(row["tenant"] == DEMO for row in calls.list_tenants(connection)):
        calls.insert_tenant(connection, DEMO, None, None)
    budgets = {"cost_budget_daily": 10, "cost_budget_monthly": 100, "rate_limit_requests_per_minute": 600}
    calls.insert_customer(connection, {"customer": DEMO, "tenant": DEMO, "priority_tier": "STANDARD", **budgets})


def _read_token(file: Path) -> Secret[str] | None:
    try:
        parsed = parse_token(file.read_text(encoding="ascii", errors="replace").strip())
    except FileNotFoundError:
        return None
    return parsed.token if parsed is not None else None


def _write_token(file: Path, token: Secret[str]) -> None:
    # Beside its place and renamed: never half a token, never readable by others.
    draft = file.with_suffix(f".{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as opened:
        opened.write(token.reveal() + "\n")
    draft.replace(file)
