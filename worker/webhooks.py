"""One try to deliver an event: signed as Standard Webhooks 1.0 asks, posted to a checked address, and of the answer
nothing but its status.

The key of the signature is what the envelope holds: random bytes, known to the customer as `whsec_` and their base64.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from onevault import __version__
from onevault.tokens import Secret
from worker.egress import Egress
from worker.post import Answer, Poster

TRY_SECONDS: Final = 15.0
"""The longest that a try takes, whatever an endpoint does."""


class Event(NamedTuple):
    """What is sent where, at which second (UTC, since 1970), signed with which secrets."""

    event_id: str
    endpoint: str
    body: bytes
    sent_at: int
    secrets: Sequence[Secret[bytes]]


def sign(event: Event) -> str:
    """The header webhook-signature: one signature for each secret, the newest first."""
    signed = f"{event.event_id}.{event.sent_at}.".encode() + event.body
    digests = (hmac.digest(secret.reveal(), signed, "sha256") for secret in event.secrets)
    return " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)


class Sender:
    """Posts events. Needs a running loop; close it with `close`.

    It keeps no connection: one is kept by address and port, and two customers may share both. So what one endpoint says
    changes nothing for another.
    """

    def __init__(self, egress: Egress, ca_file: Path | None = None) -> None:
        self._egress = egress
        self._poster = Poster(egress, ca_file)

    async def send(self, event: Event) -> Answer:
        """One try. Never raises for what an endpoint does."""
        headers = {
            "content-type": "application/json",
            "user-agent": f"onevault-webhooks/{__version__}",
            "webhook-id": event.event_id,
            "webhook-timestamp": str(event.sent_at),
            "webhook-signature": sign(event),
        }
        return await self._poster.post(event.endpoint, headers, event.body, TRY_SECONDS)

    async def close(self) -> None:
        """End all connections."""
        self._egress.close()
        await self._poster.close()
