"""A real gateway with providers that are played: sets them up through the views that DBAs use."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import httpx
from psycopg.types.json import Jsonb

from onevault.envelope import load_keyring
from onevault.settings import load_settings
from onevault.tokens import digest_token, issue_token
from tests_py.support.gateway import Gateway

MODEL = "played-1"


class Stage:
    """A gateway, a customer's token for it, and the providers that were put up, cheapest first.

    Several share a gateway if each has a customer `name`, a `model` and a `prefix` of its providers' names of its own.
    """

    def __init__(
        self, gateway: Gateway, *, tier: str = "STANDARD", name: str = "played", model: str = MODEL, prefix: str = ""
    ) -> None:
        self.gateway = gateway
        self.name = name
        self.model = model
        self.prefix = prefix
        self._price = 1
        self._owner = gateway.database.connect()
        self.token = self.customer(name, tier)

    def close(self) -> None:
        self._owner.close()

    def provider(self, name: str, endpoint: str, model: str | None = None) -> None:
        """One more provider of the model, dearer than those before it, so that it is tried after them."""
        model = model or self.model
        name = self.prefix + name
        self._owner.execute(
            "insert into admin.provider (provider, api_endpoint, needs_key, first_byte_timeout_ms) "
            "values (%s, %s, false, %s)",
            (name, endpoint, 10_000),
        )
        self._owner.execute(
            "insert into admin.model (provider, model, max_output_tokens, context_tokens) "
            "values (%s, %s, 1000, 100000)",
            (name, model),
        )
        for meter in ("input", "output"):
            self._owner.execute(
                "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, %s)",
                (name, model, meter, self._price),
            )
        self._price += 1

    def ask(self, *, timeout: float = 60, **body: Any) -> httpx.Response:
        """One chat call, plain."""
        return httpx.post(**self._request(body), timeout=timeout)

    def stream(self, *, timeout: float = 60, **body: Any) -> str:
        """One streamed chat call: everything that came, as text."""
        with httpx.stream("POST", **self._request({"stream": True, **body}), timeout=timeout) as response:
            assert response.status_code == 200, response.read()
            return "".join(response.iter_text())

    def open_stream(self, client: httpx.Client, **body: Any) -> Any:
        """A streamed chat call as a context, for those who leave in the middle."""
        return client.stream("POST", **self._request({"stream": True, **body}), timeout=60)

    def booked(self) -> list[tuple[Any, ...]]:
        """All booked requests of its customer: status, class, charge."""
        return self.query(
            "select s.response_status, s.error_class, s.customer_cost from gateway.api_request_s as s "
            "where s.customer_hk = util.hash_key(%s) order by s.api_request_hk",
            self.name,
        )

    def attempts(self) -> list[tuple[Any, ...]]:
        """All booked attempts of its customer: provider, outcome, class, usage_source, output in tokens and bytes."""
        rows = self.query(
            "select h.provider_bk, a.outcome, a.error_class, a.usage_source, a.output_tokens, a.output_bytes "
            "from gateway.api_request_attempt_s as a join gateway.ai_provider_h as h on a.provider_hk = h.provider_hk "
            "where a.customer_hk = util.hash_key(%s) order by a.api_request_hk, a.attempt_number",
            self.name,
        )
        return [(row[0].removeprefix(self.prefix), *row[1:]) for row in rows]

    def query(self, statement: str, *parameters: Any) -> list[tuple[Any, ...]]:
        return self.gateway.database.query(statement, *parameters)

    def wait(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Until it holds."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, self.gateway.log()[-4000:]
            time.sleep(0.05)

    def is_settled(self) -> bool:
        """Whether nothing is held or queued any more."""
        ((reserved, queued),) = self.query(
            "select (select count(*) from ops.reservation), (select count(*) from pgmq.q_premium) "
            "+ (select count(*) from pgmq.q_standard) + (select count(*) from pgmq.q_basic)"
        )
        return bool(reserved == 0 and queued == 0)

    def _request(self, body: dict[str, Any]) -> dict[str, Any]:
        given = {
            "model": self.model,
            "messages": [{"role": "user", "content": "Say hello."}],
            "max_tokens": 100,
            **body,
        }
        headers = {"authorization": f"Bearer {self.token}"}
        return {"url": f"{self.gateway.url}/v1/chat/completions", "headers": headers, "json": given}

    def customer(self, name: str, tier: str = "STANDARD", **settings: Any) -> str:
        """One more customer; gives its token. `settings` are those of the token, as admin.sp_issue_token takes them."""
        row = self._owner.execute(
            "insert into admin.customer (customer, priority_tier) values (%s, %s) returning customer_reference",
            (name, tier),
        ).fetchone()
        assert row is not None
        token = issue_token(row[0]).reveal()
        keyring = load_keyring(load_settings(self.gateway.environ, None))
        digest = digest_token(token, keyring.pepper)
        self._owner.execute(
            "select * from admin.sp_issue_token(%s, %s, %s, %s, %s)", (name, digest, "ov_…", b"sealed", Jsonb(settings))
        )
        return token
