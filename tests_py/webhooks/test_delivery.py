"""Events from the queue to the customer's endpoint: real workers, a real HTTPS server, the reference verifier."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from standardwebhooks import Webhook, WebhookVerificationError, webhooks

from onevault import calls
from onevault.envelope import load_keyring
from onevault.issuing import make_webhook_secret
from onevault.settings import load_settings
from tests_py.support.cluster import Cluster
from tests_py.support.endpoint import Endpoint, Received
from tests_py.support.gateway import Gateway
from tests_py.support.template import STOCKED


class Stage:
    """One gateway of a worker and an endpoint, with customers whose events go to paths of it."""

    def __init__(self, gateway: Gateway, endpoint: Endpoint) -> None:
        self.gateway = gateway
        self.endpoint = endpoint
        self.keyring = load_keyring(load_settings(gateway.environ, None))

    def customer(self, name: str, path: str) -> str:
        """A new customer whose events go to `path`; gives its secret."""
        with self.gateway.database.connect("dba") as connection:
            calls.insert_customer(connection, {"customer": name, "webhook_url": self.endpoint.url(path)})
        return self.rotate(name)

    def rotate(self, name: str, overlap: timedelta = timedelta(0)) -> str:
        """A customer's next secret."""
        with self.gateway.database.connect("dba", autocommit=False) as connection:
            return make_webhook_secret(connection, self.keyring, name, overlap)[0].reveal()

    def test(self, name: str) -> dict[str, Any]:
        """Sends webhook.test and waits for its end."""
        question = "select admin.sp_test_webhook(%s)"
        return self.wait(self.gateway.database.query(question, name, role="dba")[0][0], is_over)

    def notify(self, name: str, event: str = "bill.ready", count: int = 1) -> str:
        """Tells a customer of events; gives the id of the last."""
        call = "select gateway.fn_notify(util.hash_key(%s), %s, '{\"total_usd\": 12.5}') from generate_series(1, %s)"
        event_id: str = self.gateway.database.query(call, name, event, count)[-1][0]
        return event_id

    def delivery(self, event_id: str) -> dict[str, Any]:
        """Its row of admin.webhook_delivery."""
        question = "select to_jsonb(d) from admin.webhook_delivery as d where d.event_id = %s"
        row: dict[str, Any] = self.gateway.database.query(question, event_id)[0][0]
        return row

    def wait(self, event_id: str, is_so: Callable[[dict[str, Any]], bool], seconds: float = 20) -> dict[str, Any]:
        """Its row, once it is as told."""
        deadline = time.monotonic() + seconds
        while not is_so(row := self.delivery(event_id)):
            assert time.monotonic() < deadline, row
            time.sleep(0.02)
        return row

    def hasten(self) -> None:
        """All that waits is due, whoever held it."""
        self.gateway.database.query("update pgmq.q_webhook set vt = clock_timestamp() returning msg_id")

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command that may fail."""
        command = [sys.executable, "-m", "onevault", *arguments]
        return subprocess.run(command, env=self.gateway.environ, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def stage(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    home = tmp_path_factory.mktemp("home")
    database = cluster.clone(STOCKED)
    with Endpoint(tmp_path_factory.mktemp("endpoint")) as endpoint:
        environ = {
            "ONEVAULT_WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8,::1/128",
            "ONEVAULT_WEBHOOK_CA_FILE": str(endpoint.ca_file),
        }
        gateway = Gateway(database, home, environ)
        gateway.start_worker()
        yield Stage(gateway, endpoint)
    gateway.stop()
    cluster.drop(database)


def is_over(row: dict[str, Any]) -> bool:
    return bool(row["delivery_state"] != "WAITING")


def verify(secret: str, request: Received) -> Any:
    return Webhook(secret).verify(request.body, request.headers)


def verify_later(secret: str, request: Received, later: timedelta, monkeypatch: pytest.MonkeyPatch) -> Any:
    class Later(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return datetime.now(tz) + later

    monkeypatch.setattr(webhooks, "datetime", Later)
    return verify(secret, request)


def test_a_test_goes_the_whole_way_and_the_reference_verifies_it(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    url = stage.endpoint.url("/ok-acme")
    made = json.loads(stage.gateway.run("customer", "create", "acme", "--webhook-url", url, "--json"))
    assert set(made) == {"tenant", "customer", "token", "token_id", "webhook_secret"}
    secret = made["webhook_secret"]
    said = stage.gateway.run("webhook", "test", "acme")
    assert said.startswith("delivered: 200 in ")
    assert said.endswith(" ms\n")
    (request,) = stage.endpoint.at("/ok-acme")
    told = verify(secret, request)
    assert told["type"] == "webhook.test"
    assert told["data"] == {"customer": "acme"}
    assert abs(datetime.fromisoformat(told["timestamp"]) - datetime.now(UTC)) < timedelta(minutes=1)
    assert request.headers["content-type"] == "application/json"
    row = stage.delivery(request.headers["webhook-id"])
    assert (row["delivery_state"], row["attempts"], row["last_http_status"]) == ("DELIVERED", 1, 200)
    with pytest.raises(WebhookVerificationError, match="No matching signature"):
        verify(secret, request._replace(body=request.body + b" "))
    assert verify_later(secret, request, timedelta(minutes=4), monkeypatch) == told
    with pytest.raises(WebhookVerificationError, match="too old"):
        verify_later(secret, request, timedelta(minutes=6), monkeypatch)


def test_a_retry_has_its_id_and_a_new_time(stage: Stage) -> None:
    secret = stage.customer("retried", "/first-500-retried")
    event_id = stage.notify("retried")
    row = stage.wait(event_id, is_over)
    assert (row["delivery_state"], row["attempts"]) == ("DELIVERED", 2)
    first, second = stage.endpoint.at("/first-500-retried")
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == event_id
    assert first.body == second.body
    waited = int(second.headers["webhook-timestamp"]) - int(first.headers["webhook-timestamp"])
    assert 3 <= waited <= 10
    assert verify(secret, first) == verify(secret, second)
    assert verify(secret, first)["data"] == {"customer": "retried", "total_usd": 12.5}


def test_a_worker_that_dies_before_booking_costs_a_second_delivery_and_no_event(stage: Stage) -> None:
    stage.customer("twice", "/ok-twice")
    killed: list[str] = []

    def kill(request: Received) -> None:
        if request.path == "/ok-twice" and not killed:
            killed.append(request.headers["webhook-id"])
            stage.gateway.workers[0].kill()

    stage.endpoint.on_request = kill
    try:
        event_id = stage.notify("twice")
        stage.endpoint.wait_for("/ok-twice")
        stage.gateway.workers[0].popen.wait(10)
    finally:
        stage.gateway.workers.clear()
        stage.gateway.start_worker()
    assert stage.delivery(event_id)["attempts"] == 0
    stage.hasten()
    row = stage.wait(event_id, is_over)
    assert (row["delivery_state"], row["attempts"]) == ("DELIVERED", 2)
    ids = [request.headers["webhook-id"] for request in stage.endpoint.at("/ok-twice")]
    assert ids == [event_id, event_id] == [*killed, event_id]


def test_an_endpoint_that_hangs_holds_up_no_other(stage: Stage) -> None:
    stage.customer("hanging", "/hang-1")
    stage.customer("prompt", "/ok-prompt")
    stage.notify("hanging", count=30)
    stage.endpoint.wait_for("/hang-1", 4)
    begun = time.monotonic()
    stage.notify("prompt", count=20)
    stage.endpoint.wait_for("/ok-prompt", 20, seconds=8)
    assert time.monotonic() - begun < 8
    assert len(stage.endpoint.at("/hang-1")) == 4, "no more than four of them are under way"


def test_a_redirect_inwards_is_not_followed(stage: Stage) -> None:
    stage.customer("redirected", "/redirect-in")
    row = stage.wait(stage.notify("redirected"), lambda row: row["attempts"] > 0)
    assert (row["delivery_state"], row["last_http_status"]) == ("WAITING", 302)
    assert row["last_error_class"] == "redirected"
    assert "not followed" in row["finding"]


def test_after_a_rotation_both_secrets_verify_unless_at_once(stage: Stage) -> None:
    old = stage.customer("rotated", "/ok-rotated")
    new = json.loads(stage.gateway.run("webhook", "secret", "rotated", "--json"))["webhook_secret"]
    stage.test("rotated")
    newest = json.loads(stage.gateway.run("webhook", "secret", "rotated", "--at-once", "--json"))["webhook_secret"]
    stage.test("rotated")
    both, alone = stage.endpoint.at("/ok-rotated")
    assert verify(old, both) == verify(new, both)
    assert verify(newest, alone)
    for replaced in (old, new):
        with pytest.raises(WebhookVerificationError):
            verify(replaced, alone)


def test_a_test_says_what_is_wrong_and_how_to_mend_it(stage: Stage) -> None:
    stage.customer("gone", "/status-410-gone")
    result = stage.command("webhook", "test", "gone")
    assert result.returncode == 1
    assert result.stderr.startswith("onevault: not delivered: it is gone (410), so nothing more was tried (410 in ")
    assert result.stderr.endswith("Set another webhook_url, or NULL for none.\n")
    row = stage.test("gone")
    assert (row["delivery_state"], row["last_error_class"], row["attempts"]) == ("FAILED", "gone", 1)

    with stage.gateway.database.connect("dba") as connection:
        calls.insert_customer(connection, {"customer": "plain"})
    assert "has no webhook_url" in stage.command("webhook", "test", "plain").stderr
    update = "update admin.customer set webhook_url = %s where customer = 'plain' returning 1"
    stage.gateway.database.query(update, stage.endpoint.url("/ok-plain"))
    assert "Make one: onevault webhook secret" in stage.test("plain")["remedy"]
    assert stage.endpoint.at("/ok-plain") == []
    secret = stage.rotate("plain")
    stage.test("plain")
    assert verify(secret, stage.endpoint.at("/ok-plain")[0])["type"] == "webhook.test"


def test_no_secret_is_seen_in_the_clear_anywhere(stage: Stage, tmp_path: Path) -> None:
    secret = stage.customer("secretive", "/ok-secretive")
    stage.test("secretive")
    bare = secret.removeprefix("whsec_")
    raw = base64.b64decode(bare).hex()
    tables = stage.gateway.database.query(
        "select c.oid::regclass::text from pg_catalog.pg_class as c where c.relkind = 'r'"
        " and c.relnamespace = any('{auth,gateway,ops,pgmq,util}'::regnamespace[])"
    )
    assert ("gateway.webhook_secret_s",) in tables
    for (table,) in tables:
        found = f"select count(*) from {table} as t where t::text like any(%s)"
        assert stage.gateway.database.query(found, [f"%{bare}%", f"%{raw}%"]) == [(0,)], table
    assert bare not in stage.gateway.log()
    assert bare not in stage.endpoint.at("/ok-secretive")[0].body.decode()
