"""Providers, keys, models and prices."""

from __future__ import annotations

from tests_py.cli.conftest import Cli

SECRET = "sk-canary-0123456789"
LOCAL = ("provider", "set", "local", "--kind", "openai", "--endpoint", "http://127.0.0.1:9/v1")


def opened_key(cli: Cli, provider: str, customer: str | None = None, name: str | None = "default") -> str:
    """The key as a worker would open it."""
    ((sealed, _, status, identity),) = cli.database.query(
        "select k.* from gateway.sp_read_provider_key(admin.sp_identify_provider_key(%s, %s, %s)) as k",
        provider,
        customer,
        name,
    )
    assert status == "ACTIVE"
    return cli.keyring().open(sealed, identity).decode()


def test_a_provider_is_made_and_changed(cli: Cli) -> None:
    made = cli.json(*LOCAL, "--rpm", "100", "--compliance", "gdpr")
    assert (made["provider"], made["adapter_kind"], made["needs_key"], made["has_key"]) == (
        "local",
        "openai",
        False,
        False,
    )
    assert (made["requests_per_minute_limit"], made["compliance_levels"]) == (100, ["GDPR"])
    changed = cli.json("provider", "set", "LOCAL", "--rpm", "200", "--inactive")
    assert (changed["requests_per_minute_limit"], changed["is_active"]) == (200, False)
    assert (changed["api_endpoint"], changed["compliance_levels"]) == ("http://127.0.0.1:9/v1", ["GDPR"])
    assert [row["provider"] for row in cli.json("provider", "list")] == ["local"]
    assert "http://127.0.0.1:9/v1" in cli.text("provider", "list")


def test_the_houses_key_is_sealed(cli: Cli) -> None:
    made = cli.json(*LOCAL, "--api-key-env", "LOCAL_KEY", LOCAL_KEY=SECRET)
    assert (made["needs_key"], made["has_key"]) == (True, True)
    assert opened_key(cli, "local") == SECRET
    cli.json("provider", "set", "local", "--api-key-stdin", stdin=f"{SECRET}-2\n")
    assert opened_key(cli, "local") == f"{SECRET}-2"
    shown = cli.text("provider", "key", "list") + str(cli.json("provider", "key", "list"))
    assert "canary" not in shown
    ((found,),) = cli.database.query(
        "select count(*) from gateway.ai_provider_key_s as s where s::text ~ 'canary' or s::text ~ %s",
        SECRET.encode().hex(),
    )
    assert found == 0


def test_a_customer_brings_a_key(cli: Cli) -> None:
    cli.json(*LOCAL)
    cli.json("customer", "create", "acme")
    made = cli.json("provider", "key", "set", "Acme", "Local", "--api-key-stdin", stdin=SECRET)
    assert (made["provider"], made["customer"], made["key_status"]) == ("local", "acme", "ACTIVE")
    assert opened_key(cli, "local", "acme") == SECRET
    assert [row["customer"] for row in cli.json("provider", "key", "list", "acme")] == ["acme"]
    assert cli.refusal("provider", "key", "set", "nobody", "local", "--api-key-stdin", stdin="x").startswith(
        "There is no customer 'nobody'"
    )
    assert cli.refusal("provider", "key", "set", "acme", "local").startswith("name the key's source")


def test_what_is_no_key_is_refused(cli: Cli) -> None:
    refused = [
        ("--api-key-env NOT_THERE", "", "the variable NOT_THERE holds no key"),
        ("--api-key-stdin", "\n", "standard input holds no key"),
        ("--api-key-stdin", "two words", "what standard input holds is no key"),
        ("--api-key-stdin --api-key-env X", "", "the key can come from a variable or from standard input"),
    ]
    for flags, stdin, sentence in refused:
        assert cli.refusal(*LOCAL, *flags.split(), stdin=stdin).startswith(sentence)
    assert cli.json("provider", "list") == []


def test_a_provider_without_an_endpoint_is_refused(cli: Cli) -> None:
    assert cli.refusal("provider", "set", "new").startswith("api_endpoint cannot be NULL")
    assert cli.refusal("provider", "set", "new", "--kind", "telex", "--endpoint", "http://x").startswith(
        "There is no adapter of the kind 'telex'"
    )


def test_a_model_is_made_with_prices_that_last(cli: Cli) -> None:
    cli.json(*LOCAL)
    made = cli.json("model", "set", "local", "tiny", "--capability", "chat", "--context", "8000", "--max-output", "500")
    assert (made["context_tokens"], made["max_output_tokens"], made["unroutable_because"]) == (8000, 500, "no_price")
    assert cli.json("model", "list") == []
    assert [row["model"] for row in cli.json("model", "list", "--all")] == ["tiny"]

    made = cli.json("model", "set", "local", "tiny", "--input", "0.15", "--output", "0.60")
    assert (made["input_usd_per_million"], made["output_usd_per_million"]) == (0.15, 0.6)
    assert made["unroutable_because"] is None
    assert "tiny" in cli.text("model", "list")

    cli.json("model", "set", "local", "tiny", "--input", "0.15")
    assert len(cli.json("prices", "list", "local", "tiny", "--all")) == 2
    made = cli.json("model", "set", "Local", "Tiny", "--input", "0.25", "--cache-read", "0.05")
    assert made["input_usd_per_million"] == 0.25
    in_force = {row["meter"]: row["usd_per_million"] for row in cli.json("prices", "list", "local")}
    assert in_force == {"input": 0.25, "output": 0.6, "cache_read": 0.05}
    assert len(cli.json("prices", "list", "local", "tiny", "--all")) == 4

    assert cli.refusal("model", "set", "nobody", "x").startswith("There is no provider 'nobody'")
    assert cli.refusal("model", "set", "local", "x", "--capability", "fly").startswith("One of these capabilities")


def test_the_price_book_is_brought_in(cli: Cli) -> None:
    shown = cli.json("prices", "sync")
    assert not shown["applied"]
    assert shown["counts"].keys() == {"added"}
    assert "nothing was changed" in cli.text("prices", "sync")
    first = cli.json("prices", "sync", "--apply")
    assert first["applied"]
    assert first["changes"] == shown["changes"]
    assert first["prices_changed"] == shown["counts"]["added"]
    assert first["providers_changed"] > 5
    assert first["models_changed"] > 100
    assert first["prices_changed"] > first["models_changed"]
    cli.json("model", "set", "openai", "gpt-4o", "--input", "9")
    again = cli.json("prices", "sync", "--apply")
    assert again["counts"] == {"kept": again["prices_kept_by_hand"]}
    assert {(row["meter"], row["service_tier"], row["mode"]) for row in again["changes"]} == {
        ("input", "standard", "sync")
    }
    assert {row["usd_per_million_before"] for row in again["changes"]} == {9}
    assert again["prices_changed"] == again["models_changed"] == again["prices_ended"] == 0
    assert "kept by hand" in cli.text("prices", "sync")
    prices = cli.json("prices", "list", "openai", "gpt-4o")
    assert [row["usd_per_million"] for row in prices if row["meter"] == "input" and row["mode"] == "sync"] == [
        9,
        4.25,
        4.25,
    ]
    assert {row["model"] for row in cli.json("model", "list")} == {
        "sandbox-embedding",
        "sandbox-large",
        "sandbox-small",
    }
