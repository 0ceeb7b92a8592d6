"""Tenants, customers and their tokens."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from onevault.tokens import digest_token, parse_token
from tests_py.cli.conftest import Cli

ACME = ("customer", "create", "acme")


def test_a_customer_is_made_with_a_token_that_may_call(cli: Cli) -> None:
    made = cli.json(*ACME)
    assert list(made) == ["tenant", "customer", "token", "token_id"]
    assert (made["tenant"], made["customer"]) == ("default", "acme")
    parsed = parse_token(made["token"])
    assert parsed is not None
    assert cli.json("customer", "show", "acme")["customer_reference"] == parsed.reference
    digest = digest_token(made["token"], cli.keyring().pepper)
    ((token_id, active),) = cli.database.query(
        "select token_bk, is_active from ops.principal where token_digest = %s", digest
    )
    assert (token_id, active) == (made["token_id"], True)


def test_the_token_is_in_the_database_in_no_form(cli: Cli) -> None:
    token = cli.json(*ACME)["token"]
    ((sealed,),) = cli.database.query(
        "select api_key_encrypted from gateway.customer_config_s where load_end_date is null"
        " and customer_hk = util.hash_key('acme')"
    )
    ((identity,),) = cli.database.query("select util.hash_key('acme')")
    keyring = cli.keyring()
    assert keyring.open(sealed, identity) == keyring.fingerprint(token.encode())
    ((found,),) = cli.database.query(
        "select count(*) from gateway.token_s as s where s::text like '%%' || %s || '%%'", token[12:42]
    )
    assert found == 0


def test_every_flag_of_a_customer_is_kept(cli: Cli) -> None:
    cli("provider", "set", "openai", "--kind", "openai", "--endpoint", "http://127.0.0.1:9/v1")
    cli("model", "set", "openai", "gpt-x")
    assert cli.json("tenant", "create", "clinics", "--time-zone", "europe/berlin", "--markup", "12.5") == {
        "tenant": "clinics",
        "tenant_name": "clinics",
        "time_zone": "Europe/Berlin",
        "markup_percent": 12.5,
        "address_policy": "SHORTENED",
        "is_active": True,
    }
    flags = "--tenant clinics --tier premium --daily-budget 10.50 --monthly-budget 100 --rpm 60 --compliance hipaa,GDPR"
    more = "--preferred OpenAI --models GPT-X --webhook-url https://example.com/hook"
    assert cli.json(*ACME, *flags.split(), *more.split())["tenant"] == "clinics"
    shown = cli.json("customer", "show", "ACME")
    del shown["customer_reference"]
    assert shown == {
        "customer": "acme",
        "tenant": "clinics",
        "priority_tier": "PREMIUM",
        "rate_limit_requests_per_minute": 60,
        "cost_budget_daily": 10.5,
        "cost_budget_monthly": 100,
        "compliance": ["GDPR", "HIPAA"],
        "preferred_providers": ["openai"],
        "allowed_models": ["gpt-x"],
        "markup_percent": None,
        "webhook_url": "https://example.com/hook",
        "is_strict": False,
        "keeps_parameters": False,
        "is_active": True,
    }
    assert [row["tenant"] for row in cli.json("tenant", "list")] == ["clinics", "default"]
    assert [row["customer"] for row in cli.json("customer", "list")] == ["acme"]


def test_people_get_tables(cli: Cli) -> None:
    made = cli(*ACME, "--daily-budget", "5")
    assert [line.split()[0] for line in made.stdout.splitlines()] == ["tenant", "customer", "token", "token_id"]
    assert made.stderr == "Keep the token: it is shown this once.\n"
    heading, rule, row = cli.text("customer", "list").splitlines()
    assert heading.split()[:3] == ["tenant", "customer", "priority_tier"]
    assert set(rule) == {"-", " "}
    assert row.split() == ["default", "acme", "STANDARD", "5", "yes"]


def test_nonsense_is_refused_with_a_sentence_and_leaves_nothing(cli: Cli) -> None:
    refused = {
        "--tenant nowhere": "There is no tenant 'nowhere'. Look into admin.tenant, or insert it there first.",
        "--tier gold": "This tier is not known. Use BASIC, STANDARD or PREMIUM.",
        "--preferred nobody": "There is no provider 'nobody'. Look into admin.provider, or insert it there first.",
        "--webhook-url http://x": "A webhook needs an https address. Write it like https://example.com/hook, or NULL.",
    }
    for flags, sentence in refused.items():
        assert cli.refusal(*ACME, *flags.split()) == sentence
    assert cli.json("customer", "list") == []


def test_a_taken_name_is_refused(cli: Cli) -> None:
    cli.json(*ACME)
    assert cli.refusal("customer", "create", "ACME") == (
        "The customer 'ACME' exists already. Update it, or choose another name."
    )


def test_what_cannot_be_a_value_is_misuse(cli: Cli) -> None:
    for flags in ("--daily-budget -1", "--daily-budget nan", "--daily-budget much", "--rpm 0", "--rpm x"):
        assert "Invalid value" in cli.misuse(*ACME, *flags.split())


def test_without_a_master_key_nobody_is_made(cli: Cli) -> None:
    (cli.home / "master.key").unlink()
    assert "there is no master key" in cli.refusal(*ACME)
    assert cli.database.query("select customer from admin.customer") == []


def test_tokens_are_issued_listed_and_revoked(cli: Cli) -> None:
    first = cli.json(*ACME)
    second = cli.json(
        "token", "issue", "Acme", "--name", "ci", "--expires", "30d", "--daily-budget", "1.25", "--rpm", "7"
    )
    assert second["customer"] == "acme"
    assert second["token"] != first["token"]
    rows = cli.json("token", "list", "acme")
    assert [row["token_id"] for row in rows] == [second["token_id"], first["token_id"]]
    issued = rows[0]
    assert (issued["token_name"], issued["token_status"], issued["cost_budget_daily"]) == ("ci", "ACTIVE", 1.25)
    assert issued["token_hint"] == f"{second['token'][:11]}…{second['token'][-4:]}"
    ends = datetime.fromisoformat(issued["expires_at"])
    assert abs(ends - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert second["token"] not in cli.text("token", "list", "acme")

    assert cli.json("token", "revoke", second["token_id"])["token_status"] == "REVOKED"
    assert [row["token_status"] for row in cli.json("token", "list", "acme")] == ["REVOKED", "ACTIVE"]
    assert cli.refusal("token", "revoke", "tok_none").startswith("there is no token 'tok_none'")
    assert cli.refusal("token", "list", "nobody").startswith("there is no customer 'nobody'")
    assert cli.refusal("token", "issue", "nobody").startswith("There is no customer 'nobody'")
    assert "neither a span" in cli.misuse("token", "issue", "acme", "--expires", "soon")
    assert cli.refusal("token", "issue", "acme", "--expires", "2020-01-01").startswith("This token would have expired")
