"""What Amazon's services share: signed requests (SigV4), and what they mean when they refuse."""

from __future__ import annotations

import asyncio
import importlib
import re
import sys
from typing import Final, NamedTuple

import httpx

from onevault.tokens import Secret
from worker.providers.base import CallFailed
from worker.providers.refusals import STATUSES, told
from worker.providers.target import Headers, bearer
from worker.shapes import ErrorClass

_KINDS: Final[dict[str, ErrorClass]] = {
    "throttling": "rate_limited",
    "toomanyrequests": "rate_limited",
    "servicequotaexceeded": "rate_limited",
    "modelnotready": "overloaded",
    "serviceunavailable": "overloaded",
    "modeltimeout": "timeout",
    "modelerror": "server_error",
    "modelstreamerror": "server_error",
    "internalserver": "server_error",
    "validation": "bad_request",
    "resourcenotfound": "bad_request",
    "accessdenied": "auth_dead",
    "unrecognizedclient": "auth_dead",
    "invalidsignature": "auth_dead",
    "expiredtoken": "auth_dead",
    "missingauthenticationtoken": "auth_dead",
    "incompletesignature": "auth_dead",
}
_UNKNOWN_KEY: Final = ("unrecognizedclient", "invalidsignature", "expiredtoken", "missingauth", "incompletesignature")
_TOO_LONG: Final = ("too long for", "too many input tokens", "prompt is too long", "maximum context", "context limit")
# The key is one that is taken, and the model not for it.
_NO_MODEL: Final = (
    "model identifier is invalid",
    "don't have access to the model",
    "on-demand throughput isn",
    "invokemodel",
)
_SIGNER: Final = "botocore.auth"
_REGION: Final = re.compile(r"bedrock-runtime(?:-fips)?\.([a-z0-9-]+)\.")


def kind_of(headers: httpx.Headers) -> str:
    """The kind of error that a response's head names, as in "ThrottlingException:http://…"."""
    return str(headers.get("x-amzn-errortype", "")).partition(":")[0]


def classify_amazon(status: int | None, kind: str, body: bytes) -> CallFailed:
    """The failure that an error means: by its kind, else its status; without one it came inside a stream."""
    word = _bare(kind)
    error_class = _KINDS.get(word) or STATUSES.get(status or 500, "server_error")
    message = told(body)
    text = (message or "").lower()
    if error_class in ("bad_request", "auth_dead") and any(mark in text for mark in _NO_MODEL):
        return CallFailed("bad_request", failover=True, customer_fault=False)
    if error_class != "bad_request":
        return CallFailed(error_class)
    if any(mark in text for mark in _TOO_LONG):
        error_class = "context_too_long"
    elif status == 404 or word == "resourcenotfound":
        return CallFailed("bad_request", failover=True, customer_fault=False)
    return CallFailed(error_class, message=message)


def is_unknown_key(kind: str) -> bool:
    """Whether an error means that nobody knows the key, rather than that it may not do this."""
    return _bare(kind).startswith(_UNKNOWN_KEY)


def find_region(settings: str | None, host: str) -> str:
    """The region that a request is signed for: the one that was set, else the host's. Raises `CallFailed`."""
    found = settings or ((named := _REGION.search(host)) and named[1])
    if not found:
        raise CallFailed("connect")
    return found


class _Credentials(NamedTuple):
    """A key as botocore's signer reads it."""

    access_key: str
    secret_key: str
    token: str | None


async def load_signer() -> None:
    """What signs is loaded by who needs it, since it is large, and beside the loop, since it takes a while."""
    if not hasattr(sys.modules.get(_SIGNER), "SigV4Auth"):  # half loaded, it is waited for
        await asyncio.to_thread(importlib.import_module, _SIGNER)


def is_signing(key: Secret[str]) -> bool:
    """Whether a key is a pair that signs, rather than a bearer's token."""
    return ":" in key.reveal()


def sign(key: Secret[str], service: str, region: str, url: httpx.URL, headers: Headers, body: bytes) -> Headers:
    """The headers with the signature: `ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]` signs, others are bearers."""
    if not is_signing(key):
        return [*headers, bearer(key)]
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    access, secret, token = (*key.reveal().split(":", 2), "")[:3]
    content = {name.decode(): value.decode() for name, value in headers if name == b"content-type"}
    request = AWSRequest(method="POST", url=str(url), data=body, headers=content)
    SigV4Auth(_Credentials(access, secret, token or None), service, region).add_auth(request)
    signed = [(n.lower().encode(), v.encode()) for n, v in request.headers.items() if n.lower() != "content-type"]
    return [*headers, *signed]


def _bare(kind: str) -> str:
    return kind.rpartition("#")[2].lower().removesuffix("exception")
