"""`onevault provider`: who runs the models, and the keys for them."""

from __future__ import annotations

import click

from onevault import calls
from onevault.cli.output import CommandError, json_option, print_record, print_rows
from onevault.cli.parameters import WORDS, key_options, read_key
from onevault.cli.session import connect
from onevault.cli.validation import wait_for_finding
from onevault.envelope import load_keyring
from onevault.issuing import set_key

_SHORT = ("provider", "adapter_kind", "api_endpoint", "is_active", "needs_key", "has_key", "compliance_levels")
HOUSE_KEY = "default"
OWN_KEY = "own"


@click.group("provider")
def command() -> None:
    """Who runs the models, and the keys for them."""


@command.command("set")
@click.argument("name")
@click.option(
    "--kind",
    help="How to speak to it: openai (all that speak OpenAI's dialect), azure, mistral, anthropic, google, bedrock, "
    "cohere, voyage or sandbox.",
)
@click.option("--endpoint", metavar="URL", help="Base URL with its version, like https://api.example.com/v1.")
@key_options()
@click.option("--key-name", default=HOUSE_KEY, show_default=True, help="Which of the house's keys for it is set.")
@click.option("--rpm", type=click.IntRange(min=1), metavar="N", help="Requests a minute that it takes.")
@click.option("--compliance", type=WORDS, help="Levels that it meets, like HIPAA,GDPR.")
@click.option("--customer", metavar="NAME", help="The customer whose own server it is; nobody else's calls see it.")
@click.option("--active/--inactive", default=None, help="Put it on or take it off the road.")
@json_option
def set_provider(
    name: str,
    kind: str | None,
    endpoint: str | None,
    key_variable: str | None,
    key_from_stdin: bool,
    key_name: str,
    rpm: int | None,
    compliance: list[str] | None,
    customer: str | None,
    active: bool | None,
    as_json: bool,
) -> None:
    """Make a provider, or change what is given. A new one without a key is called without one."""
    key = read_key(key_variable, from_stdin=key_from_stdin)
    provider = {
        "provider": name,
        "adapter_kind": kind,
        "api_endpoint": endpoint,
        "requests_per_minute_limit": rpm,
        "compliance_levels": compliance,
        "needs_key": True if key is not None else None,
        "customer": customer,
        "is_active": active,
    }
    with connect("dba") as (settings, connection):
        calls.merge_provider(connection, provider)
        if key is not None:
            set_key(connection, load_keyring(settings), name, key, name=key_name)
        finding = None if key is None else wait_for_finding(connection, name, None, key_name)
        (row,) = calls.list_providers(connection, name)
    shown = row if as_json else {column: row[column] for column in _SHORT}
    print_record(shown if finding is None else {**shown, "validation": finding.value}, as_json=as_json)
    if finding is not None:
        finding.tell(row["provider"])


@command.command("list")
@json_option
def list_providers(as_json: bool) -> None:
    """List providers; --json tells everything about them."""
    with connect("dba") as (_, connection):
        rows = calls.list_providers(connection)
    if not as_json:
        rows = [{column: row[column] for column in _SHORT} for row in rows]
    print_rows(rows, as_json=as_json, empty="there are no providers")


@command.group("key")
def key_command() -> None:
    """Customers' own keys."""


@key_command.command("set")
@click.argument("customer")
@click.argument("provider")
@key_options()
@click.option("--key-name", default=OWN_KEY, show_default=True, help="Which of the customer's keys for it is set.")
@json_option
def set_customers_key(
    customer: str, provider: str, key_variable: str | None, key_from_stdin: bool, key_name: str, as_json: bool
) -> None:
    """Set the key that a customer brought for a provider, which is asked whether it takes it.

    A key that is refused is set and not used; the exit code says so.
    """
    key = read_key(key_variable, from_stdin=key_from_stdin)
    if key is None:
        raise CommandError("name the key's source: --api-key-env VAR or --api-key-stdin")
    with connect("dba") as (settings, connection):
        set_key(connection, load_keyring(settings), provider, key, customer=customer, name=key_name)
        finding = wait_for_finding(connection, provider, customer, key_name)
        rows = calls.list_provider_keys(connection, customer)
    name = key_name.strip().lower()
    asked = (provider.strip().lower(), OWN_KEY if name in ("", HOUSE_KEY) else name)
    (row,) = (row for row in rows if (row["provider"].lower(), row["key_name"]) == asked)
    print_record({**row, "validation": finding.value}, as_json=as_json)
    finding.tell(row["provider"])


@key_command.command("list")
@click.argument("customer", required=False)
@json_option
def list_keys(customer: str | None, as_json: bool) -> None:
    """List keys, the house's and customers' own, without what is secret."""
    with connect("dba") as (_, connection):
        rows = calls.list_provider_keys(connection, customer)
    print_rows(rows, as_json=as_json, empty="there are no keys")
