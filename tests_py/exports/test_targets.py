"""What targets are sent, to the letter, and what their answers mean for each event."""

from __future__ import annotations

import json

import pytest

from worker.targets import BATCH_REFUSED, DUPLICATE, HELD_BACK, UsageEvent, make_calls, read_answer

ID = "019b1f0c-5b7a-7c3e-8d21-a4f0e6b3c975:ex"
EVENT = UsageEvent(1, 1, ID, "sub_1", 1764547200, "2025-12-01T00:00:00.123Z", "0.0000246", "maker", "m/a", "0.00246")
EVENTS = [EVENT, UsageEvent(2, 1, "b:ex", "sub_2", 1764547201, "2025-12-01T00:00:01.000Z", "16", "maker", "m/a")]


def test_stripe_gets_a_form_for_each_event() -> None:
    first, second = make_calls("STRIPE", "tokens used", EVENTS[::-1])
    assert first.path == "/v1/billing/meter_events"
    assert first.headers == {
        "content-type": "application/x-www-form-urlencoded",
        "stripe-version": "2025-04-30.basil",
    }
    assert first.body == (
        b"event_name=tokens+used&timestamp=1764547201&identifier=b%3Aex"
        b"&payload%5Bstripe_customer_id%5D=sub_2&payload%5Bvalue%5D=16"
    )
    assert second.events == [EVENT]


def test_lago_gets_a_batch() -> None:
    (call,) = make_calls("LAGO", "usd", EVENTS)
    assert (call.path, call.headers) == ("/api/v1/events/batch", {"content-type": "application/json"})
    assert json.loads(call.body) == {
        "events": [
            {
                "transaction_id": ID,
                "external_subscription_id": "sub_1",
                "code": "usd",
                "timestamp": 1764547200,
                "precise_total_amount_cents": "0.00246",
                "properties": {"value": "0.0000246", "provider": "maker", "model": "m/a"},
            },
            {
                "transaction_id": "b:ex",
                "external_subscription_id": "sub_2",
                "code": "usd",
                "timestamp": 1764547201,
                "properties": {"value": "16", "provider": "maker", "model": "m/a"},
            },
        ]
    }


def test_openmeter_gets_cloudevents() -> None:
    (call,) = make_calls("OPENMETER", "used", EVENTS[:1])
    assert (call.path, call.headers) == ("/api/v1/events", {"content-type": "application/cloudevents-batch+json"})
    assert json.loads(call.body) == [
        {
            "id": ID,
            "source": "onevault",
            "specversion": "1.0",
            "type": "used",
            "subject": "sub_1",
            "time": "2025-12-01T00:00:00.123Z",
            "datacontenttype": "application/json",
            "data": {"value": "0.0000246", "provider": "maker", "model": "m/a"},
        }
    ]


CORRECTION = UsageEvent(3, 1, "c:ex", "sub_1", 1764547202, "2025-12-01T00:00:02.000Z", "-6", "maker", "m/a", "-600", ID)


def test_a_correction_says_what_it_corrects_and_by_how_much() -> None:
    (call,) = make_calls("STRIPE", "used", [CORRECTION])
    assert call.body.endswith(b"identifier=c%3Aex&payload%5Bstripe_customer_id%5D=sub_1&payload%5Bvalue%5D=-6")
    (call,) = make_calls("LAGO", "used", [CORRECTION])
    (event,) = json.loads(call.body)["events"]
    assert (event["transaction_id"], event["precise_total_amount_cents"]) == ("c:ex", "-600")
    assert event["properties"] == {"value": "-6", "provider": "maker", "model": "m/a", "corrects": ID}
    (call,) = make_calls("OPENMETER", "used", [CORRECTION])
    (event,) = json.loads(call.body)
    assert (event["id"], event["data"]) == (
        "c:ex",
        {"value": "-6", "provider": "maker", "model": "m/a", "corrects": ID},
    )


HAS_IT = {"error": {"message": f"An event already exists with identifier {ID}.", "type": "invalid_request_error"}}
NO_CUSTOMER = {"error": {"message": "No such customer: 'cus_1'", "type": "invalid_request_error"}}
THERE = {"transaction_id": ["value_already_exist"]}


def lago(details: object) -> object:
    return {"status": 422, "code": "validation_errors", "error_details": details}


@pytest.mark.parametrize(
    ("kind", "count", "status", "body", "said"),
    [
        ("STRIPE", 1, 200, {}, [None]),
        ("STRIPE", 1, 400, HAS_IT, [DUPLICATE]),
        ("STRIPE", 1, 400, NO_CUSTOMER, [None]),
        ("STRIPE", 1, 400, {"error": "An event already exists with identifier"}, [None]),
        ("STRIPE", 1, 500, HAS_IT, [None]),
        ("LAGO", 2, 200, {"events": []}, [None, None]),
        ("LAGO", 2, 422, lago({"1": THERE}), [HELD_BACK, DUPLICATE]),
        ("LAGO", 2, 422, lago({"0": THERE, "1": THERE}), [DUPLICATE, DUPLICATE]),
        ("LAGO", 2, 422, lago({"0": {"code": ["not_found"]}}), [None, HELD_BACK]),
        ("LAGO", 2, 422, lago({"0": {**THERE, "code": ["not_found"]}}), [None, HELD_BACK]),
        ("LAGO", 1, 422, lago(THERE), [DUPLICATE]),
        ("LAGO", 2, 422, lago({"events": ["too_many_events"]}), [BATCH_REFUSED] * 2),
        ("LAGO", 2, 422, lago({"7": THERE}), [BATCH_REFUSED] * 2),
        ("LAGO", 2, 422, "nonsense", [BATCH_REFUSED] * 2),
        ("LAGO", 2, 401, lago({"0": THERE}), [None, None]),
        ("OPENMETER", 2, 204, None, [None, None]),
        ("OPENMETER", 2, 400, {"detail": "invalid event"}, [BATCH_REFUSED] * 2),
        ("OPENMETER", 1, 400, {"detail": "invalid event"}, [None]),
        ("OPENMETER", 2, 413, None, [BATCH_REFUSED] * 2),
        ("OPENMETER", 2, 503, None, [None, None]),
    ],
)
def test_an_answer_is_read_for_each_event(
    kind: str, count: int, status: int, body: object, said: list[str | None]
) -> None:
    (call,) = make_calls(kind, "used", EVENTS[:count])
    assert read_answer(kind, call, status, json.dumps(body).encode()) == said
    assert len(read_answer(kind, call, status, b"\xff{")) == count
