"""A running gateway between customers' SDKs and played providers of each kind."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import psycopg

from onevault.envelope import load_keyring
from onevault.issuing import set_key
from onevault.settings import load_settings
from onevault.tokens import Secret
from tests_py.providers.scenarios import Scenario
from tests_py.providers.server import Seen
from tests_py.providers.stage import ScenarioServer
from tests_py.support.gateway import Gateway

ROOTS = {"openai": "/v1", "anthropic": "/v1", "google": "/v1beta"}
# One for input, two for output, a tenth for what the cache gave and 1.25 for what it took, per million.
PRICES = {"input": 1, "output": 2, "cache_read": Decimal("0.1"), "cache_write": Decimal("1.25")}


class House:
    """A running gateway and played providers of each kind; every model is a scenario at one of them."""

    def __init__(self, gateway: Gateway, fakes: dict[str, ScenarioServer]) -> None:
        self.gateway = gateway
        self.fakes = fakes
        self._owner = gateway.database.connect()
        self._keyring = load_keyring(load_settings(gateway.environ, None))
        self._made = 0

    def close(self) -> None:
        self._owner.close()

    def model(self, kind: str, behaviour: str | Scenario = "ok", capability: str = "chat") -> str:
        """A model of its own at a provider that plays this."""
        settings = '{"responses": true}' if kind == "openai" else "{}"
        return self.offer(kind, self.fakes[kind].root(behaviour) + ROOTS[kind], settings, capability=capability)

    def offer(
        self, kind: str, endpoint: str, settings: str = "{}", *, key: str = "sk-played", capability: str = "chat"
    ) -> str:
        """A model of its own at a provider of its own, which bears the same name."""
        self._made += 1
        name = f"{kind}-{self._made}"
        self._owner.execute(
            "insert into admin.provider (provider, adapter_kind, api_endpoint, adapter_settings, needs_key) "
            "values (%s, %s, %s, %s::jsonb, true)",
            (name, kind, endpoint, settings),
        )
        self._owner.execute(
            "insert into admin.model (provider, model, capabilities, max_output_tokens, context_tokens) "
            "values (%s, %s, %s, 4000, 100000)",
            (name, name, [capability]),
        )
        for meter, price in PRICES.items():
            self._owner.execute(
                "insert into admin.price (provider, model, meter, usd_per_million) values (%s, %s, %s, %s)",
                (name, name, meter, price),
            )
        set_key(self._owner, self._keyring, name, Secret(key), name="default")
        return name

    def booked(self, model: str) -> dict[str, Any]:
        """The last call of a model as the books have it."""
        with self._owner.cursor(row_factory=psycopg.rows.dict_row) as cursor:
            row = cursor.execute(
                "select s.* from gateway.api_request_s as s where s.model_used = %s "
                "order by s.api_request_hk desc limit 1",
                (model,),
            ).fetchone()
        assert row is not None
        return row

    def seen(self, kind: str) -> Seen:
        """What a provider was sent last."""
        return self.fakes[kind].seen[-1]
