"""How usage is told to systems that bill: Stripe's meter events, Lago's events, OpenMeter's CloudEvents.

Pure: requests are made of events, and answers are read as what became of each. Formats are those of
https://docs.stripe.com/api/billing/meter-event/create, https://getlago.com/docs/api-reference/events/batch and
https://openmeter.io/docs/metering/events/overview. Values are the texts that SQL wrote: no float ever. All three add up
what they are told and take what is negative (https://docs.stripe.com/billing/subscriptions/usage-based/meters/configure,
"Fix incorrect usage data"; https://github.com/getlago/lago-api/pull/1555), so a correction is an event like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

import msgspec

DUPLICATE: Final = "duplicate"  # there already: delivered
HELD_BACK: Final = "held_back"  # not taken for another's sake: at once again
BATCH_REFUSED: Final = "batch_refused"  # refused without a word about whom: again, each alone
TARGET_DOWN: Final = "target_down"  # not sent, since the one before it failed: later

STRIPE_VERSION: Final = "2025-04-30.basil"
SOURCE: Final = "onevault"
"""Who tells, as a CloudEvent has it; with the id it makes an event one of its kind."""

_STRIPE_HAS_IT: Final = "An event already exists with identifier"
_MAY_BE_ONE_OF_MANY: Final = (400, 413, 422)


class UsageEvent(msgspec.Struct, frozen=True):
    """What one request used; `cents` where it is money, `at` in seconds since 1970, `customer` as the target has it.

    Or by how much its charge was corrected, which may be negative: then `corrects` is the id of the event before.
    """

    msg_id: int
    read_ct: int
    id: str
    customer: str
    at: int
    time: str
    value: str
    provider: str
    model: str
    cents: str | None = None
    corrects: str | None = None


class Call(NamedTuple):
    """What is posted where, without the key."""

    path: str
    headers: dict[str, str]
    body: bytes
    events: Sequence[UsageEvent]


def make_calls(kind: str, event_name: str, events: Sequence[UsageEvent]) -> list[Call]:
    """The calls that tell of these events: one for each at Stripe, else one for all."""
    if kind == "STRIPE":
        return [_stripe(event_name, event) for event in events]
    make = {"LAGO": _lago, "OPENMETER": _openmeter}[kind]
    return [make(event_name, events)]


def read_answer(kind: str, call: Call, status: int, body: bytes) -> list[str | None]:
    """What the answer says of each event beside its status; None where the status says it all."""
    count = len(call.events)
    if status == 400 and kind == "STRIPE" and _stripe_has_it(body):
        return [DUPLICATE]
    if status == 422 and kind == "LAGO" and (named := _named_by_lago(body, count)):
        return [_judge(named[place]) if place in named else HELD_BACK for place in range(count)]
    return [BATCH_REFUSED if count > 1 and status in _MAY_BE_ONE_OF_MANY else None] * count


def _stripe(event_name: str, event: UsageEvent) -> Call:
    form = {
        "event_name": event_name,
        "timestamp": event.at,
        "identifier": event.id,
        "payload[stripe_customer_id]": event.customer,
        "payload[value]": event.value,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "stripe-version": STRIPE_VERSION}
    return Call("/v1/billing/meter_events", headers, urlencode(form).encode(), [event])


def _lago(event_name: str, events: Sequence[UsageEvent]) -> Call:
    told = [
        {
            "transaction_id": event.id,
            "external_subscription_id": event.customer,
            "code": event_name,
            "timestamp": event.at,
            **({} if event.cents is None else {"precise_total_amount_cents": event.cents}),
            "properties": _describe(event),
        }
        for event in events
    ]
    body = msgspec.json.encode({"events": told})
    return Call("/api/v1/events/batch", {"content-type": "application/json"}, body, events)


def _openmeter(event_name: str, events: Sequence[UsageEvent]) -> Call:
    told = [
        {
            "id": event.id,
            "source": SOURCE,
            "specversion": "1.0",
            "type": event_name,
            "subject": event.customer,
            "time": event.time,
            "datacontenttype": "application/json",
            "data": _describe(event),
        }
        for event in events
    ]
    headers = {"content-type": "application/cloudevents-batch+json"}
    return Call("/api/v1/events", headers, msgspec.json.encode(told), events)


def _describe(event: UsageEvent) -> dict[str, str]:
    told = {"value": event.value, "provider": event.provider, "model": event.model}
    return told if event.corrects is None else {**told, "corrects": event.corrects}


def _stripe_has_it(body: bytes) -> bool:
    """It has no code of its own for that, only this sentence; any other one is a refusal."""
    error = _object(_decode(body), "error")
    return str(error.get("message", "")).startswith(_STRIPE_HAS_IT)


def _named_by_lago(body: bytes, count: int) -> dict[int, Mapping[str, Any]]:
    """The events of a batch that it finds fault with, by their place, and with what; none of a batch is taken then."""
    details = _object(_decode(body), "error_details")
    if count == 1 and details and not any(place.isdecimal() for place in details):
        return {0: details}
    return {
        int(place): fault
        for place, fault in details.items()
        if place.isdecimal() and isinstance(fault, dict) and int(place) < count
    }


def _judge(faults: Mapping[str, Any]) -> str | None:
    return DUPLICATE if dict(faults) == {"transaction_id": ["value_already_exist"]} else None


def _decode(body: bytes) -> Any:
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError:
        return None


def _object(value: Any, name: str) -> dict[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}
