"""Calls of every kind, each with a canary in it: by customers polite, mistaken, hostile and unlucky."""

from __future__ import annotations

import json
import random
import re
import string
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import httpx

from tests_py.support.canaries import Canaries

CHAT = "/v1/chat/completions"
NATIVE = "/v1/ai/completions"


class Tokens(NamedTuple):
    """A token that may call, one that was revoked."""

    good: str
    revoked: str


class Talker:
    """Says something of every kind; `FAKES` are behaviours of the fake provider, each a provider of that name."""

    FAKES = (
        "ok",
        "tools",
        "status-500",
        "status-400",
        "status-429",
        "cut-after-3",
        "cut-body",
        "error-in-stream",
        "broken-json",
    )

    def __init__(self, url: str, tokens: Tokens, canaries: Canaries) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)
        self._tokens = tokens
        self._canaries = canaries
        self.statuses: dict[str, set[int]] = {}
        ways = (False, True)
        self._kinds: list[Callable[[], None]] = [
            *(partial(self._echo, path, stream) for path in (CHAT, NATIVE) for stream in ways),
            *(partial(self._fake, fake, stream) for fake in self.FAKES for stream in ways),
            *(partial(self._sandbox, error) for error in ("500", "429", "cut", "connect")),
            self._tools, self._arguments, self._metadata, self._unknown_model, self._header, self._query, self._path,
            self._idempotency, self._agent, self._malformed, self._role, self._shape, self._number, self._max_cost,
            self._junk_token, self._revoked_token, self._odd_token, self._cookie, self._forwarded, self._key_in_body,
            self._large, self._image, self._type_error, self._encoding,
        ]  # fmt: skip

    @property
    def kinds(self) -> int:
        """How many kinds of calls there are."""
        return len(self._kinds)

    def talk(self, number: int) -> None:
        """Make the call of this number; whatever comes back, comes back."""
        self._kinds[number % len(self._kinds)]()

    def close(self) -> None:
        self._client.close()

    def _post(
        self,
        kind: str,
        body: Any,
        path: str = CHAT,
        headers: dict[str, str] | None = None,
        content: bytes | None = None,
    ) -> httpx.Response | None:
        data = content if content is not None else json.dumps(body).encode()
        try:
            response = self._client.post(
                path, content=data, headers={"authorization": f"Bearer {self._tokens.good}", **(headers or {})}
            )
        except httpx.TransportError:  # the front was killed meanwhile
            return None
        self.statuses.setdefault(kind, set()).add(response.status_code)
        return response

    def _say(self) -> list[dict[str, Any]]:
        return [{"role": "user", "content": self._canaries.make()}]

    def _echo(self, path: str, stream: bool) -> None:
        canary = self._canaries.make()
        body = {"model": "sandbox-small", "stream": stream, "metadata": {"sandbox_echo": "true"}}
        said: dict[str, Any] = (
            {"prompt": canary} if path == NATIVE else {"messages": [{"role": "user", "content": canary}]}
        )
        response = self._post(f"echo {path} {stream}", {**body, **said}, path)
        if response is not None and response.status_code == 200 and '"error"' not in response.text:
            text = "".join(re.findall(r'"content":"((?:[^"\\]|\\.)*)"', response.text))
            assert canary in text, "the answer says it as well"

    def _fake(self, name: str, stream: bool) -> None:
        tool = {"type": "function", "function": {"name": self._canaries.make(), "parameters": {}}}
        body = {"model": f"{name}/model-{name}", "messages": self._say(), "stream": stream, "tools": [tool]}
        self._post(f"provider {name}", body)

    def _sandbox(self, error: str) -> None:
        body = {
            "model": "sandbox-small",
            "messages": self._say(),
            "metadata": {"sandbox_error": error},
            "stream": error == "cut",
        }
        self._post(f"sandbox {error}", body)

    def _tools(self) -> None:
        tool = {"name": self._canaries.make(), "description": self._canaries.make(), "parameters": {"type": "object"}}
        self._chat("tools", tools=[{"type": "function", "function": tool}])

    def _arguments(self) -> None:
        call = {
            "id": "c1",
            "type": "function",
            "function": {"name": "f", "arguments": json.dumps({"q": self._canaries.make()})},
        }
        answer = {"role": "tool", "tool_call_id": "c1", "content": self._canaries.make()}
        self._chat(
            "arguments", messages=[*self._say(), {"role": "assistant", "content": None, "tool_calls": [call]}, answer]
        )

    def _metadata(self) -> None:
        self._chat("metadata", metadata={"note": self._canaries.make("words")})

    def _unknown_model(self) -> None:
        self._chat("unknown model", model=self._canaries.make("words"))

    def _header(self) -> None:
        self._post(
            "header",
            self._body(),
            headers={"x-note": self._canaries.make(), "openai-organization": self._canaries.make()},
        )

    def _query(self) -> None:
        self._post("query", self._body(), f"{CHAT}?note={self._canaries.make()}")

    def _path(self) -> None:
        self._post("path", self._body(), f"/v1/{self._canaries.make()}")

    def _idempotency(self) -> None:
        self._post("idempotency", self._body(), headers={"idempotency-key": self._canaries.make()})

    def _agent(self) -> None:
        self._post("agent", self._body(), headers={"user-agent": self._canaries.make("words")})

    def _malformed(self) -> None:
        self._post(
            "malformed", None, content=b'{"messages": [{"role": "user", "content": "' + self._canaries.make().encode()
        )

    def _role(self) -> None:
        self._chat("role", messages=[{"role": self._canaries.make(), "content": "x"}])

    def _shape(self) -> None:
        self._chat("shape", messages=[{"role": "user", "content": {self._canaries.make(): 1}}])

    def _number(self) -> None:
        self._chat("number", temperature=self._canaries.make(), max_tokens=self._canaries.make())

    def _max_cost(self) -> None:
        self._post("max_cost", {"prompt": self._canaries.make(), "max_cost": "0.00000000001"}, NATIVE)

    def _type_error(self) -> None:
        self._post("type error", {"prompt": [self._canaries.make()], "priority": self._canaries.make()}, NATIVE)

    def _junk_token(self) -> None:
        self._post("junk token", self._body(), headers={"authorization": f"Bearer ov_{self._canaries.make()}"})

    def _revoked_token(self) -> None:
        self._post("revoked token", self._body(), headers={"authorization": f"Bearer {self._tokens.revoked}"})

    def _odd_token(self) -> None:
        self._post("odd token", self._body(), headers={"authorization": f"Basic {self._canaries.make()}"})

    def _cookie(self) -> None:
        self._post("cookie", self._body(), headers={"cookie": f"session={self._canaries.make()}"})

    def _forwarded(self) -> None:
        self._post("forwarded", self._body(), headers={"x-forwarded-for": self._canaries.make()})

    def _key_in_body(self) -> None:
        self._chat("key in body", api_key=self._canaries.make(), user=self._canaries.make())

    def _large(self) -> None:
        padding = "".join(random.choices(string.ascii_letters, k=40_000))
        self._chat("large", messages=[{"role": "user", "content": padding + self._canaries.make() + padding}])

    def _image(self) -> None:
        part = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{self._canaries.make()}"}}
        self._chat("image", messages=[{"role": "user", "content": [part]}])

    def _encoding(self) -> None:
        self._post("encoding", self._body(), headers={"content-encoding": self._canaries.make()})

    def _chat(self, kind: str, **fields: Any) -> None:
        self._post(kind, self._body(**fields))

    def _body(self, **fields: Any) -> dict[str, Any]:
        return {"model": "sandbox-small", "messages": self._say(), **fields}
