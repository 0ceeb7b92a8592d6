"""AWS's binary event stream and its signature (SigV4), written from their descriptions."""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import re
import struct
import urllib.parse
import zlib
from typing import Any

from tests_py.providers.server import Seen
from tests_py.providers.stage import Refused

_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/]+)/(?P<day>\d{8})/(?P<region>[\w-]+)/(?P<service>\w+)/aws4_request, "
    r"SignedHeaders=(?P<headers>[\w;-]+), Signature=(?P<signature>[0-9a-f]{64})"
)
_MINUTES = 5


def frame(payload: dict[str, Any] | bytes, **headers: str) -> bytes:
    """A message: prelude (length of all, length of the headers, CRC), headers, payload, CRC of all before it.

    `message_type="event"` becomes the header ":message-type".
    """
    named = {":content-type": "application/json", **{":" + name.replace("_", "-"): v for name, v in headers.items()}}
    packed = b"".join(
        struct.pack(">B", len(name)) + name.encode() + struct.pack(">BH", 7, len(value)) + value.encode()
        for name, value in named.items()
    )
    data = payload if isinstance(payload, bytes) else json.dumps(payload, ensure_ascii=False).encode()
    prelude = struct.pack(">II", 16 + len(packed) + len(data), len(packed))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + packed + data
    return message + struct.pack(">I", zlib.crc32(message))


def check_signature(seen: Seen, access_key: str, secret: str, token: str = "", service: str = "bedrock") -> None:
    """Refuse a request that is not signed with this secret, now, for this service, its body and host included."""
    if not (given := _SIGNED.fullmatch(seen.headers.get("authorization", ""))):
        raise Refused(403, "Missing Authentication Token", "MissingAuthenticationTokenException")
    if given["key"] != access_key or seen.headers.get("x-amz-security-token", "") != token:
        raise Refused(403, "The security token included in the request is invalid.", "UnrecognizedClientException")
    when = seen.headers.get("x-amz-date", "")
    signed = given["headers"].split(";")
    must = {"host", "x-amz-date", *(["x-amz-security-token"] if token else [])}
    if not must <= set(signed) or given["service"] != service or given["day"] != when[:8]:
        raise Refused(403, "Credential should be scoped to the request.", "InvalidSignatureException")
    age = dt.datetime.now(dt.UTC) - dt.datetime.strptime(when, "%Y%m%dT%H%M%SZ").replace(tzinfo=dt.UTC)
    if abs(age) > dt.timedelta(minutes=_MINUTES):
        raise Refused(403, f"Signature expired: {when}", "InvalidSignatureException")
    path, _, query = ("/" + seen.path.removeprefix("/")).partition("?")
    canonical = "\n".join(
        [
            seen.method,
            urllib.parse.quote(path, safe="/~"),
            "&".join(sorted(query.split("&"))) if query else "",
            *(f"{name}:{' '.join(seen.headers[name].split())}" for name in signed),
            "",
            given["headers"],
            hashlib.sha256(seen.raw).hexdigest(),
        ]
    )
    scope = f"{given['day']}/{given['region']}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{when}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = b"AWS4" + secret.encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), given["signature"]):
        raise Refused(403, "The request signature we calculated does not match.", "InvalidSignatureException")
