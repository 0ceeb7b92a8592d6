"""What a gateway begins with, and what a later start leaves alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from onevault.envelope import load_keyring
from onevault.seed import SeedReport, seed
from onevault.tokens import digest_token
from tests_py.support.cluster import ClonedDatabase

KEYS = {"OPENAI_API_KEY": "sk-first", "GEMINI_API_KEY": "g-first"}


class Opened:
    """As much of an opened database as the seed asks for."""

    def __init__(self, database: ClonedDatabase) -> None:
        self.dsn = database.dsn


@pytest.fixture
def start(database: ClonedDatabase, home: Path) -> Start:
    return Start(database, home)


class Start:
    """Seeds one database as `up` does."""

    def __init__(self, database: ClonedDatabase, home: Path) -> None:
        self.database = database
        self.settings = database.settings(home)

    def __call__(self, **keys: str) -> SeedReport:
        return seed(self.settings, Opened(self.database), keys)  # type: ignore[arg-type]

    def status(self, report: SeedReport) -> str:
        """What a call with the demo token would be told."""
        assert report.token is not None
        digest = digest_token(report.token, load_keyring(self.settings).pepper)
        ((status,),) = self.database.query("select (gateway.sp_route_request(%s, '{}')).status", digest)
        return str(status)


def test_the_first_start_makes_everything(start: Start) -> None:
    report = start()
    assert report.price_book is not None
    assert report.price_book["models_changed"] > 100
    assert start.status(report) == "routed"
    assert report.token is not None
    assert report.token_file.read_text().strip() == report.token.reveal()
    assert report.token_file.stat().st_mode & 0o777 == 0o600
    assert start.database.query(
        "select tenant, priority_tier, rate_limit_requests_per_minute, cost_budget_daily, cost_budget_monthly"
        " from admin.customer where customer = 'demo'"
    ) == [("demo", "STANDARD", 600, 10, 100)]
    assert start.database.query(
        "select adapter_kind, api_endpoint, needs_key, compliance_levels from admin.provider where provider = 'sandbox'"
    ) == [("sandbox", "in-process", False, ["GDPR", "HIPAA", "SOX"])]


def test_a_later_start_changes_nothing(start: Start) -> None:
    first = start(**KEYS)
    before = history(start.database)
    second = start(**KEYS)
    assert second.token == first.token
    assert (second.price_book, second.new_keys) == (None, ())
    assert history(start.database) == before


def test_keys_of_the_environment_are_live(start: Start) -> None:
    assert start(**KEYS).new_keys == ("openai", "google")
    live = start.database.query("select provider from admin.provider where has_key order by 1")
    assert live == [("google",), ("openai",)]
    assert start(**KEYS | {"OPENAI_API_KEY": "sk-second"}).new_keys == ("openai",)
    assert start.database.query(
        "select count(*) from admin.provider_key_history where provider = 'openai' and key_name = 'environment'"
    ) == [(2,)]
    assert start().new_keys == ()
    assert start.database.query("select has_key from admin.provider where provider = 'openai'") == [(True,)]
    start.database.query("delete from admin.provider_key where provider = 'openai' returning 1")
    assert start(**KEYS | {"OPENAI_API_KEY": "sk-second"}).new_keys == ()
    assert start.database.query("select has_key from admin.provider where provider = 'openai'") == [(False,)]
    start.database.query("delete from admin.provider where provider = 'google' returning 1")
    assert start(**KEYS | {"GEMINI_API_KEY": "g-second", "OPENAI_API_KEY": "sk-second"}).new_keys == ()


def test_a_lost_token_is_replaced(start: Start) -> None:
    first = start()
    first.token_file.unlink()
    second = start()
    assert second.token != first.token
    assert start.status(second) == "routed"
    assert start.status(first) == "routed"
    first.token_file.write_text("nonsense\n")
    assert start.status(start()) == "routed"


def test_a_token_of_another_database_is_replaced(start: Start) -> None:
    first = start()
    with start.database.connect() as connection:
        connection.execute("update gateway.token_s set token_digest = sha256(token_digest)")
    second = start()
    assert second.token != first.token
    assert start.status(second) == "routed"


def test_what_a_dba_took_away_stays_away(start: Start) -> None:
    start()
    start.database.query("delete from admin.token where customer = 'demo' returning 1")
    assert start().token is None
    start.database.query("delete from admin.customer where customer = 'demo' returning 1")
    start.database.query("delete from admin.provider where provider = 'groq' returning 1")
    report = start()
    assert report.token is None
    report.token_file.unlink()
    assert start().token is None
    assert start.database.query("select 1 from admin.provider where provider = 'groq'") == []


def history(database: ClonedDatabase) -> list[int]:
    """How many versions there are of everything."""
    views = ("tenant", "customer", "token", "provider", "provider_key", "model", "price", "routing_rule")
    return [database.query(f"select count(*) from admin.{view}_history")[0][0] for view in views]
