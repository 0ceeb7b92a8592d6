"""Customers' own keys, from the command that sets one to the bill: used first, charged the fee, told from the house's.

Mutants it catches: a fee that is the whole price; the house's key first; a key that goes on being tried after it was
refused; a limit that holds up other customers; the key of one customer under another's call; a key that was revoked
after the decision and is used; a refused key that the command calls set and well; a key in a log, an error or a table.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from onevault.envelope import load_keyring
from onevault.issuing import issue, set_key
from onevault.settings import load_settings
from onevault.tokens import Secret
from tests_py.providers.fake import FakeProvider
from tests_py.support.cluster import Cluster
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED

_IN_USD = Decimal("0.000001")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


class House:
    """A running gateway with played providers; every test has providers, models and customers of its own."""

    def __init__(self, gateway: Gateway, fake: FakeProvider) -> None:
        self.gateway = gateway
        self.fake = fake
        self._owner = gateway.database.connect()
        self.keyring = load_keyring(load_settings(gateway.environ, None))

    def close(self) -> None:
        self._owner.close()

    def provider(self, name: str, behaviour: str, *, house_key: str | None = None, price: int = 3) -> None:
        """A provider of one model of the same name, `price` for input and twice that for output."""
        self._owner.execute(
            "insert into admin.provider (provider, api_endpoint, needs_key) values (%s, %s, true)",
            (name, self.fake.endpoint(behaviour)),
        )
        self._owner.execute(
            "insert into admin.model (provider, model, max_output_tokens, context_tokens) values (%s, %s, 1000, 10000)",
            (name, f"{name}-model"),
        )
        for meter, factor in (("input", 1), ("output", 2)):
            self._owner.execute(
                "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, %s)",
                (name, f"{name}-model", meter, price * factor),
            )
        if house_key is not None:
            set_key(self._owner, self.keyring, name, Secret(house_key), name="default")

    def customer(self, name: str, markup_percent: str = "20") -> str:
        """Its token."""
        self._owner.execute(
            "insert into admin.customer (customer, markup_percent) values (%s, %s)",
            (name, markup_percent),
        )
        return issue(self._owner, self.keyring, name, {}).token.reveal()

    def key(self, customer: str, provider: str, key: str) -> None:
        """The customer's own key, set without waiting for its provider."""
        set_key(self._owner, self.keyring, provider, Secret(key), customer=customer)

    def ask(self, token: str, provider: str, text: str = "Say hello.", **body: Any) -> httpx.Response:
        return httpx.post(
            f"{self.gateway.url}/v1/chat/completions",
            headers={"authorization": f"Bearer {token}"},
            json={
                "model": f"{provider}-model", "messages": [{"role": "user", "content": text}], "max_tokens": 50, **body
            },
            timeout=60,
        )  # fmt: skip

    def sent(self, behaviour: str) -> list[str]:
        """The keys that calls came with, in order."""
        return [
            seen.headers["authorization"].removeprefix("Bearer ")
            for seen in self.fake.seen
            if seen.behaviour == behaviour
        ]

    def execute(self, statement: str, *parameters: Any) -> None:
        self._owner.execute(statement, parameters)

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.gateway.database.query(statement, *parameters)

    def attempts(self, answer: httpx.Response) -> list[tuple[Any, ...]]:
        """Of one request: whose key, what came of it, whether it was charged."""
        return self.query(
            "select a.is_own_key, a.outcome, a.error_class, a.is_charged from gateway.api_request_attempt_s as a "
            "where a.api_request_hk = uuid_send(%s::uuid) order by a.attempt_number",
            answer.headers["x-onevault-request-id"],
        )

    def wait(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, self.gateway.log()[-4000:]
            time.sleep(0.05)


@pytest.fixture(scope="module")
def house(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory, fake: FakeProvider) -> Iterator[House]:
    clone = cluster.clone(STOCKED)
    gateway = Gateway(clone, tmp_path_factory.mktemp("own-keys"), {})
    gateway.start_worker()
    gateway.start_front()
    gateway.wait_until_ready()
    house = House(gateway, fake)
    yield house
    assert clone.query("select v.* from ops.invariant_violation as v") == []
    house.close()
    gateway.stop()
    cluster.drop(clone)


def cost_of(answer: httpx.Response) -> dict[str, Any]:
    """What the answer says it cost; amounts exact."""
    assert answer.status_code == 200, answer.text
    raw = msgspec.json.decode(answer.content, type=dict[str, msgspec.Raw])
    told = msgspec.json.decode(raw["onevault"], type=dict[str, msgspec.Raw])
    parts = msgspec.json.decode(told["cost"], type=dict[str, msgspec.Raw])
    return {name: Decimal(bytes(part).decode()) for name, part in parts.items() if name != "currency"}


def test_an_own_key_is_called_with_and_costs_the_fee(house: House) -> None:
    """19 tokens of prompt, 4 of them cached and without a price of their own, and 10 of output; 12.5 % of them."""
    house.provider("fees", "good-key-11", house_key="sk-house-1")
    token = house.customer("payer", "12.5")
    house.key("payer", "fees", "sk-good-11")
    answer = house.ask(token, "fees")
    used = house.query(
        "select s.prompt_tokens * 3 + s.output_tokens * 6 from gateway.api_request_s as s "
        "where s.api_request_hk = uuid_send(%s::uuid)",
        answer.headers["x-onevault-request-id"],
    )[0][0]
    own, fee = used * _IN_USD, used * _IN_USD * Decimal("0.125")
    assert used > 0
    assert cost_of(answer) == {"provider": 0, "markup": fee, "customer": fee, "own_key": own}
    assert Decimal(answer.headers["x-onevault-cost"]) == fee
    assert house.sent("good-key-11") == ["sk-good-11"]
    assert house.attempts(answer) == [(True, "SUCCESS", None, True)]
    bill = httpx.get(f"{house.gateway.url}/v1/billing", headers={"authorization": f"Bearer {token}"}).text
    assert f'"own_key_cost_usd":{own.normalize():f}' in bill.replace(" ", "")
    printed = house.gateway.run("bill", "payer")
    assert f"Paid to the providers by yourself, in no sum here: ${own.normalize():f}" in printed


def test_a_provider_that_only_he_has_a_key_for_serves_him(house: House) -> None:
    house.provider("private", "good-key-12")
    member, stranger = house.customer("member"), house.customer("stranger")
    house.key("member", "private", "sk-good-12")
    assert house.ask(member, "private").status_code == 200
    refused = house.ask(stranger, "private")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "no_provider")
    listed = [
        httpx.get(f"{house.gateway.url}/v1/models", headers={"authorization": f"Bearer {token}"}).json()["data"]
        for token in (member, stranger)
    ]
    assert ["private-model" in [model["id"] for model in models] for models in listed] == [True, False]


def test_a_dead_key_is_followed_by_the_houses_and_tried_no_more(house: House) -> None:
    house.provider("deadly", "lets-in-21", house_key="sk-good-21")
    token = house.customer("unlucky")
    house.key("unlucky", "deadly", "sk-dead")
    answer = house.ask(token, "deadly")
    cost = cost_of(answer)
    assert cost["customer"] == cost["provider"] * Decimal("1.2")
    assert "own_key" not in cost
    assert house.attempts(answer) == [(True, "ERROR", "auth_dead", False), (False, "SUCCESS", None, True)]
    with ThreadPoolExecutor(8) as pool:
        later = list(pool.map(lambda _: house.ask(token, "deadly"), range(8)))
    assert [answer.json()["onevault"]["attempts"] for answer in later] == [1] * 8
    assert house.sent("lets-in-21") == ["sk-dead"] + ["sk-good-21"] * 9
    house.key("unlucky", "deadly", "sk-good-21")
    assert house.attempts(house.ask(token, "deadly")) == [(True, "SUCCESS", None, True)], "another key is another key"


def test_a_key_that_stays_is_followed_by_nothing(house: House) -> None:
    house.provider("loyal", "lets-in-31", house_key="sk-good-31")
    token = house.customer("faithful")
    house.key("faithful", "loyal", "sk-canary-dead")
    house.execute("update admin.provider_key set falls_back = false where customer = 'faithful'")
    failed = house.ask(token, "loyal")
    assert failed.status_code == 502
    error = failed.json()["error"]
    assert error["code"] == "provider_error"
    assert error["message"] == "No provider answered: loyal/loyal-model did not accept your own key (401)."
    assert [attempt["class"] for attempt in error["attempts"]] == ["auth_dead"]
    again = house.ask(token, "loyal")
    assert (again.status_code, again.json()["error"]["code"]) == (503, "no_provider")
    assert "Your own key" in again.json()["error"]["message"]
    assert int(again.headers["retry-after"]) > 0
    assert house.sent("lets-in-31") == ["sk-canary-dead"]
    assert "canary" not in failed.text + again.text


def test_a_limited_key_rests_and_holds_up_nobody_else(house: House) -> None:
    house.provider("limits", "limits-but-41", house_key="sk-good-41")
    hasty, calm = house.customer("hasty"), house.customer("calm")
    house.key("hasty", "limits", "sk-limited")
    house.key("calm", "limits", "sk-good-41")
    first, second = house.ask(hasty, "limits"), house.ask(hasty, "limits")
    assert house.attempts(first) == [(True, "ERROR", "rate_limited", False), (False, "SUCCESS", None, True)]
    assert house.attempts(second) == [(False, "SUCCESS", None, True)]
    assert house.attempts(house.ask(calm, "limits")) == [(True, "SUCCESS", None, True)]
    ((seconds,),) = house.query(
        "select extract(epoch from k.rests_until - k.last_refused_at) from ops.key_breaker as k "
        "where k.customer = 'hasty'"
    )
    assert seconds == 30, "as long as the provider asks"
    assert house.query("select c.* from ops.circuit_breaker as c where c.provider = 'limits'") == []


def test_a_key_that_is_revoked_after_the_decision_is_not_used(house: House) -> None:
    house.provider("revoking", "ok", house_key="sk-house-51")
    token = house.customer("changing")
    house.key("changing", "revoking", "sk-own-51")
    worker = house.gateway.workers[0]
    worker.signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(house.ask, token, "revoking")
            house.wait(
                lambda: (
                    house.query("select r.held_usd from ops.reservation as r where r.candidates @? '$[*].own_keys'")
                    != []
                )
            )
            house.execute("delete from admin.provider_key as k where k.customer = 'changing'")
            worker.signal(signal.SIGCONT)
            answer = call.result()
    finally:
        worker.signal(signal.SIGCONT)
    assert house.attempts(answer) == [(False, "SUCCESS", None, True)]
    assert "sk-own-51" not in house.sent("ok")


def test_nobody_is_called_with_anothers_key(house: House) -> None:
    house.provider("shared", "slow-1", house_key="sk-house-61")
    tokens = {name: house.customer(name) for name in ("left", "right", "none")}
    for name in ("left", "right"):
        house.key(name, "shared", f"sk-own-{name}")
    with ThreadPoolExecutor(24) as pool:
        answers = list(pool.map(lambda n: house.ask(tokens[n], "shared", f"I am {n}."), list(tokens) * 40))
    assert {answer.status_code for answer in answers} == {200}
    used = {
        (seen.body["messages"][0]["content"], seen.headers["authorization"])
        for seen in house.fake.seen
        if seen.behaviour == "slow-1"
    }
    assert used == {
        ("I am left.", "Bearer sk-own-left"),
        ("I am right.", "Bearer sk-own-right"),
        ("I am none.", "Bearer sk-house-61"),
    }


def set_by_command(house: House, *arguments: str, key: str) -> subprocess.CompletedProcess[str]:
    """`onevault provider …` as a person runs it."""
    return subprocess.run(
        [sys.executable, "-m", "onevault", "provider", *arguments, "--api-key-stdin"],
        env=house.gateway.environ, input=key, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_a_provider_is_asked_whether_it_takes_a_key(house: House) -> None:
    house.provider("asked", "good-key-71")
    house.customer("asking")
    taken = set_by_command(house, "key", "set", "asking", "asked", "--key-name", "first", key="sk-good-71")
    assert (taken.returncode, taken.stderr.strip()) == (0, "validated by asked")
    refused = set_by_command(house, "key", "set", "asking", "asked", "--json", key="sk-canary-bad")
    assert refused.returncode == 1
    assert "refused by asked: the key is set but not used" in refused.stderr
    assert msgspec.json.decode(refused.stdout)["validation"] == "refused"
    assert house.query(
        "select k.key_name, k.key_status, k.last_validated is not null from admin.provider_key as k "
        "where k.customer = 'asking' order by 1"
    ) == [("first", "ACTIVE", True), ("own", "EXPIRED", False)]
    assert {seen.path for seen in house.fake.asked if seen.behaviour == "good-key-71"} == {"/good-key-71/v1/models"}
    assert house.sent("good-key-71") == [], "asking costs nothing"


def test_who_is_away_or_has_no_such_list_leaves_the_key_as_it_is(house: House) -> None:
    house.provider("away", "status-503")
    house.provider("without", "status-404")
    house.customer("waiting")
    away = set_by_command(house, "key", "set", "waiting", "away", key="sk-1")
    assert away.returncode == 0
    assert away.stderr.startswith("not validated yet: away could not be reached")
    without = set_by_command(house, "set", "without", key="sk-2")
    assert without.returncode == 0
    assert without.stderr.startswith("not validated: without has nothing that could be asked")
    assert house.query(
        "select k.provider, k.key_status from admin.provider_key as k "
        "where k.provider in ('away', 'without') order by 1"
    ) == [("away", "ACTIVE"), ("without", "ACTIVE")]


def test_without_a_worker_nobody_waits(house: House) -> None:
    house.provider("later", "good-key-81")
    house.customer("patient")
    house.gateway.workers[0].stop()
    house.execute("update ops.job set last_started_at = last_started_at - interval '1 minute' where true")
    try:
        began = time.monotonic()
        told = set_by_command(house, "key", "set", "patient", "later", key="sk-good-81")
        assert time.monotonic() - began < 8
        assert told.returncode == 0
        assert told.stderr.strip() == "not validated yet: no worker answered, it happens when one runs"
    finally:
        house.gateway.workers.clear()
        house.gateway.start_worker()
    house.wait(
        lambda: (
            house.query("select k.last_validated is not null from admin.provider_key as k where k.customer = 'patient'")
            == [(True,)]
        )
    )


def test_no_key_is_seen_anywhere(house: House) -> None:
    """After all of the above: logs and every table, apart from what is sealed."""
    log = house.gateway.log()
    assert "sk-" not in log
    tables = house.query(
        "select format('%I.%I', t.schemaname, t.tablename) from pg_catalog.pg_tables as t "
        "where t.schemaname not in ('pg_catalog', 'information_schema')"
    )
    found = []
    with house.gateway.database.connect() as connection:
        for (table,) in tables:
            for mark in ("sk-good-", "sk-own-", "canary", "sk-dead", b"sk-good-".hex(), b"canary".hex()):
                statement = f"select 1 from {table} as t where t::text like %s limit 1"
                if connection.execute(statement, (f"%{mark}%",)).fetchone():
                    found.append((table, mark))
    assert found == []
