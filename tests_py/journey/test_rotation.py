"""A new master key from start to end, as docs/secure.md tells it, on a gateway that is never idle.

Mutants: secrets that are not sealed anew; a sealed secret whose row tag nobody looks at.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onevault import key_calls
from onevault.envelope import Keyring, OpenError
from onevault.master_key import read_master_key_file
from tests_py.conftest import StartGateway
from tests_py.providers.fake import FakeProvider
from tests_py.support.gateway import Gateway

MODEL = "played-1"
BODY: dict[str, Any] = {"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 20}
HOUSE_KEY, CUSTOMERS_KEY = "sk-house-2f80", "sk-customer-91cc"


class Load:
    """Calls without a pause from several threads, plain, streamed and reading, each with a token of its own."""

    def __init__(self, gateway: Gateway, tokens: list[str]) -> None:
        self.outcomes: Counter[str] = Counter()
        self._url = gateway.url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(token,), daemon=True) for token in tokens]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()

    def wait_for_more(self, calls: int = 40) -> None:
        """Returns when so many more calls have ended."""
        goal = self.outcomes.total() + calls
        wait(lambda: self.outcomes.total() >= goal)

    def _run(self, token: str) -> None:
        # A connection of its own for each call: a front that stops closes those it has, and that is no failed call.
        headers = {"authorization": f"Bearer {token}", "connection": "close"}
        with httpx.Client(base_url=self._url, headers=headers, timeout=60, trust_env=False) as client:
            number = 0
            while not self._over.wait(0.02):
                number += 1
                try:
                    self.outcomes[self._call(client, number)] += 1
                except httpx.HTTPError as error:
                    self.outcomes[repr(error)] += 1

    @staticmethod
    def _call(client: httpx.Client, number: int) -> str:
        if number % 4 == 0:
            request = client.build_request("GET", "/v1/models")
        else:
            request = client.build_request("POST", "/v1/chat/completions", json=BODY | {"stream": number % 2 == 0})
        response = client.send(request)
        if response.status_code == 503 and response.json()["error"]["code"] == "draining":
            response = client.send(request)  # as it asks for, and as the SDKs do
        streamed = number % 4 == 2
        if response.status_code == 200 and (not streamed or "[DONE]" in response.text):
            return "ok"
        return f"{response.status_code}: {response.text[:300]}"


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeProvider]:
    with FakeProvider() as server:
        yield server


def wait(condition: Callable[[], bool], seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def furnish(gateway: Gateway, fake: FakeProvider) -> None:
    """A provider that needs a key of the house, another that is dearer, and a model at both."""
    for name, price in (("one", "1"), ("two", "2")):
        gateway.run(
            "provider", "set", name, "--kind", "openai", "--endpoint", fake.endpoint("ok"), "--api-key-stdin",
            given=f"{HOUSE_KEY}-{name}\n",
        )  # fmt: skip
        gateway.run("model", "set", name, MODEL, "--input", price, "--output", price, "--max-output", "1000")


def restart(gateway: Gateway, environ: dict[str, str], log_name: str) -> None:
    """Each worker and front is replaced by one with these variables, the new one first, one after another."""
    for name in ("ONEVAULT_MASTER_KEY_FILE", "ONEVAULT_MASTER_KEY_PREVIOUS_FILE"):
        gateway.environ.pop(name, None)
    gateway.environ.update(environ)
    for processes, start, ready in (
        (gateway.workers, gateway.start_worker, "worker_ready"),
        (gateway.fronts, gateway.start_front, "front_open"),
    ):
        for old in [process for process in processes if process.running]:
            before = gateway.log().count(ready)
            start()
            wait_for_line(gateway, ready, before + 1)
            assert old.stop() == 0, f"{log_name}: {gateway.log()[-2000:]}"


def wait_for_line(gateway: Gateway, event: str, count: int) -> None:
    wait(lambda: gateway.log().count(event) >= count)


def opens(keyring: Keyring, secret: key_calls.SealedSecret) -> bool:
    try:
        keyring.open(secret.sealed, secret.row_hk)
    except OpenError:
        return False
    return True


@pytest.mark.long
@pytest.mark.timeout(400)
def test_the_master_key_changes_under_load_without_a_failed_call(
    start_gateway: StartGateway, fake: FakeProvider
) -> None:
    gateway = start_gateway()
    furnish(gateway, fake)
    tokens = []
    for number in range(3):
        made = json.loads(gateway.run("customer", "create", f"c{number}", "--rpm", "100000", "--json"))
        tokens.append(made["token"])
    unused = json.loads(gateway.run("token", "issue", "c0", "--name", "unused", "--json"))["token"]
    gateway.run("provider", "key", "set", "c0", "two", "--api-key-stdin", given=f"{CUSTOMERS_KEY}\n")
    old = str(gateway.home / "master.key")
    new = json.loads(gateway.run("keys", "new", "--json"))["path"]

    load = Load(gateway, tokens)
    try:
        load.wait_for_more()
        restart(gateway, {"ONEVAULT_MASTER_KEY_FILE": old, "ONEVAULT_MASTER_KEY_PREVIOUS_FILE": new}, "both known")
        load.wait_for_more()
        restart(
            gateway, {"ONEVAULT_MASTER_KEY_FILE": new, "ONEVAULT_MASTER_KEY_PREVIOUS_FILE": old}, "the new one seals"
        )
        load.wait_for_more()
        status = read_status(gateway)
        assert status["tokens_to_rehash"] == 5, "nothing moves before it is announced"
        done = json.loads(gateway.run("keys", "rotate", "--json"))
        assert done["left"] == []
        assert done["rewrapped"] == 2 + 1 + 4, "keys of the house, of a customer, fingerprints"
        wait(lambda: read_status(gateway)["tokens_to_rehash"] == 2)
        load.wait_for_more()
    finally:
        load.stop()
    assert set(load.outcomes) == {"ok"}
    status = read_status(gateway)
    assert (status["secrets_to_rotate"], status["previous_can_go"]) == (0, False)
    waiting = json.loads(gateway.run("keys", "status", "--tokens", "--json"))
    assert {row["token_name"] for row in waiting} == {"unused", "demo"}

    load = Load(gateway, tokens)
    try:
        load.wait_for_more(20)
        restart(gateway, {"ONEVAULT_MASTER_KEY_FILE": new}, "the old one is gone")
        load.wait_for_more()
    finally:
        load.stop()
    assert set(load.outcomes) == {"ok"}
    answer = httpx.get(f"{gateway.url}/v1/models", headers={"x-api-key": unused}, timeout=30, trust_env=False)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_token"), "it was never used"

    keyring = Keyring(read_master_key_file(Path(old)))
    with gateway.database.connect() as connection:
        found = [key_calls.read_secret(connection, *row) for row in key_calls.list_foreign_secrets(connection, "")]
    assert len(found) == 7
    assert not any(opens(keyring, secret) for secret in found if secret)
    assert {row["master_key_id"] for row in read_status(gateway)["keys"] if row["house_keys"]} == {status["current"]}
    assert {seen.headers["authorization"] for seen in fake.seen} == {
        f"Bearer {HOUSE_KEY}-one",
        f"Bearer {CUSTOMERS_KEY}",
    }, "each calls with his own"
    assert "sk-" not in gateway.log()
    for processes in (gateway.fronts, gateway.workers):
        assert sum(process.running for process in processes) == 1


def test_two_ciphertexts_that_changed_places_open_nothing(start_gateway: StartGateway, fake: FakeProvider) -> None:
    gateway = start_gateway()
    furnish(gateway, fake)
    before = len(fake.seen)
    headers = {"authorization": f"Bearer {gateway.token}"}

    def ask() -> httpx.Response:
        return httpx.post(f"{gateway.url}/v1/chat/completions", headers=headers, json=BODY, timeout=60, trust_env=False)

    gateway.database.query(
        "update gateway.ai_provider_key_s as s set api_key_encrypted = o.api_key_encrypted "
        "from gateway.ai_provider_key_s as o where s.provider_key_hk <> o.provider_key_hk returning 1"
    )
    answer = ask()
    assert answer.status_code == 502
    error = answer.json()["error"]
    assert error["code"] == "provider_error"
    assert [attempt["class"] for attempt in error["attempts"]] == ["auth_dead", "auth_dead"]
    assert len(fake.seen) == before, "no key was used, its own or another's"
    told = [json.loads(line) for line in gateway.log().splitlines() if "provider_key_does_not_open" in line]
    assert {line["error"] for line in told} == {"MovedRow"}
    assert "sk-" not in gateway.log()


def read_status(gateway: Gateway) -> Any:
    return json.loads(gateway.run("keys", "status", "--json"))
