"""`onevault model`: what calls are routed to."""

from __future__ import annotations

from decimal import Decimal

import click

from onevault import calls, price_calls
from onevault.cli.output import json_option, print_record, print_rows
from onevault.cli.parameters import AMOUNT, WORDS
from onevault.cli.session import connect

_SHORT = (
    "provider",
    "model",
    "capabilities",
    "context_tokens",
    "max_output_tokens",
    "input_usd_per_million",
    "output_usd_per_million",
    "unroutable_because",
)


@click.group("model")
def command() -> None:
    """What calls are routed to: models at providers."""


@command.command("set")
@click.argument("provider")
@click.argument("model")
@click.option("--capability", type=WORDS, help="chat, embedding, image, rerank. [default: chat]")
@click.option("--features", type=WORDS, help="stream, tools, vision, structured. [default: all]")
@click.option("--input", "input_price", type=AMOUNT, help="Price of a million input tokens, from now on.")
@click.option("--output", "output_price", type=AMOUNT, help="Price of a million output tokens, from now on.")
@click.option("--cache-read", type=AMOUNT, help="Price of a million tokens read from its cache. [default: input's]")
@click.option("--cache-write", type=AMOUNT, help="Price of a million tokens written to it. [default: input's]")
@click.option("--context", type=click.IntRange(min=1), metavar="N", help="Longest prompt in tokens. [default: 128000]")
@click.option("--max-output", type=click.IntRange(min=1), metavar="N", help="Longest answer. [default: 16384]")
@click.option(
    "--default-output", type=click.IntRange(min=1), metavar="N", help="Limit if none is given. [default: 4096]"
)
@click.option(
    "--max-inputs", type=click.IntRange(min=1), metavar="N", help="Most texts in a call. [default: its kind's]"
)
@click.option("--surfaces", type=WORDS, help="Routes that reach it: chat, native, responses, messages. [default: all]")
@click.option("--upstream", metavar="NAME", help="The provider's name for it. [default: the same]")
@click.option("--quality", type=AMOUNT, metavar="SCORE", help="Score for rules that look at quality.")
@click.option("--customer", metavar="NAME", help="The customer whose own model it is; nobody else's calls see it.")
@click.option("--active/--inactive", default=None, help="Put it on or take it off the road.")
@json_option
def set_model(
    provider: str,
    model: str,
    capability: list[str] | None,
    features: list[str] | None,
    input_price: Decimal | None,
    output_price: Decimal | None,
    cache_read: Decimal | None,
    cache_write: Decimal | None,
    context: int | None,
    max_output: int | None,
    default_output: int | None,
    max_inputs: int | None,
    surfaces: list[str] | None,
    upstream: str | None,
    quality: Decimal | None,
    customer: str | None,
    active: bool | None,
    as_json: bool,
) -> None:
    """Make a model at a provider, or change what is given. A price set here is the price book's no more."""
    prices = {"input": input_price, "output": output_price, "cache_read": cache_read, "cache_write": cache_write}
    with connect("dba") as (_, connection):
        calls.merge_model(
            connection,
            {
                "provider": provider,
                "model": model,
                "upstream_model": upstream,
                "capabilities": capability,
                "features": features,
                "context_tokens": context,
                "max_output_tokens": max_output,
                "default_output_tokens": default_output,
                "max_inputs": max_inputs,
                "surfaces": surfaces,
                "quality_score": quality,
                "customer": customer,
                "is_active": active,
            },
        )
        given = {meter: price for meter, price in prices.items() if price is not None}
        if given:
            price_calls.insert_prices(connection, provider, model, given)
        connection.commit()
        (row,) = calls.list_models(connection, provider, model)
    print_record(row, as_json=as_json)


@command.command("list")
@click.argument("provider", required=False)
@click.option("--all", "all_models", is_flag=True, help="Those too that no call is routed to.")
@json_option
def list_models(provider: str | None, all_models: bool, as_json: bool) -> None:
    """List the models that calls are routed to; --json tells everything about them."""
    with connect("dba") as (_, connection):
        rows = calls.list_models(connection, provider)
    if not all_models:
        rows = [row for row in rows if row["unroutable_because"] is None]
    if not as_json:
        rows = [{column: row[column] for column in _SHORT} for row in rows]
    print_rows(rows, as_json=as_json, empty="no model can be routed to; --all lists the others with the reason")
