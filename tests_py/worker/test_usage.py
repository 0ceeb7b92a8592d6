"""Usage in disjoint buckets, whatever a compatible server makes of the format."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests_py.worker.kit import attempt
from worker.providers.images import ImagesListener, normalise_images_usage
from worker.providers.tally import Tally
from worker.providers.usage import (
    keep_numbers,
    normalise_cohere_usage,
    normalise_converse_usage,
    normalise_gemini_usage,
    normalise_openai_usage,
)
from worker.shapes import Usage


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}, Usage(input_uncached=10, output=5)),
        ({"prompt_tokens": 0, "completion_tokens": 0}, Usage(input_uncached=0, output=0)),
        ({"prompt_tokens": 10}, Usage(input_uncached=10)),
        ({"prompt_tokens": 10, "total_tokens": 17}, Usage(input_uncached=10, output=7)),
        ({"prompt_tokens": 10, "completion_tokens": None}, Usage(input_uncached=10)),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}},
            Usage(input_uncached=40, cache_read=60, output=5),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 50,
                "prompt_tokens_details": {"cached_tokens": 60, "cache_write_tokens": 10},
                "completion_tokens_details": {"reasoning_tokens": 20},
            },
            Usage(input_uncached=30, cache_read=60, cache_write=10, output=50, reasoning=20),
        ),
        (
            {
                "prompt_tokens": 100,
                "completion_tokens": 5,
                "prompt_cache_hit_tokens": 64,
                "prompt_cache_miss_tokens": 36,
            },
            Usage(input_uncached=36, cache_read=64, output=5),
        ),
        (
            {"prompt_tokens": 100, "completion_tokens": 5, "cached_tokens": 64},  # as Moonshot tells it
            Usage(input_uncached=36, cache_read=64, output=5),
        ),
        (
            # More cached than prompted: the customer never pays for more than the prompt.
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 60}},
            Usage(input_uncached=0, cache_read=10, output=5),
        ),
        (
            # Reasoning counted beside the completion, as the total shows.
            {
                "prompt_tokens": 10,
                "completion_tokens": 5,
                "total_tokens": 45,
                "completion_tokens_details": {"reasoning_tokens": 30},
            },
            Usage(input_uncached=10, output=35, reasoning=30),
        ),
        ({"prompt_tokens": 10.0, "completion_tokens": 5.0}, Usage(input_uncached=10, output=5)),
        (
            {"prompt_tokens": 10, "completion_tokens": 5, "prompt_tokens_details": None},
            Usage(input_uncached=10, output=5),
        ),
        ({}, None),
        ({"prompt_tokens": None, "completion_tokens": None}, None),
        ({"prompt_tokens": "many", "completion_tokens": True}, None),
        ({"prompt_tokens": -1, "completion_tokens": 10**30}, None),
        ({"prompt_tokens": float("nan"), "completion_tokens": float("inf")}, None),
        # What would cost more than a column of the books can hold was not used.
        ({"prompt_tokens": 10, "completion_tokens": 2**53}, Usage(input_uncached=10)),
        ({"prompt_tokens": 10**9, "completion_tokens": 10**9 + 1}, Usage(input_uncached=10**9)),
    ],
)
def test_buckets(said: dict[str, Any], usage: Usage | None) -> None:
    assert normalise_openai_usage(said) == usage


counts = st.one_of(st.none(), st.integers(-5, 1000), st.floats(), st.text(max_size=3), st.booleans())


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "prompt_tokens": counts,
            "completion_tokens": counts,
            "total_tokens": counts,
            "prompt_tokens_details": st.one_of(
                st.none(),
                st.integers(),
                st.fixed_dictionaries({}, optional={"cached_tokens": counts, "cache_write_tokens": counts}),
            ),
            "completion_tokens_details": st.fixed_dictionaries({}, optional={"reasoning_tokens": counts}),
        },
    )
)
def test_no_bucket_is_ever_negative(said: dict[str, Any]) -> None:
    usage = normalise_openai_usage(said)
    if usage is not None:
        buckets = (usage.input_uncached, usage.cache_read, usage.cache_write, usage.output, usage.reasoning)
        assert all(bucket is None or (type(bucket) is int and bucket >= 0) for bucket in buckets)
        if usage.input_uncached is not None:
            total = usage.input_uncached + (usage.cache_read or 0) + (usage.cache_write or 0)
            assert total == int(said["prompt_tokens"])
        assert usage.reasoning is None or usage.output is None or usage.reasoning <= usage.output


def test_only_numbers_are_kept() -> None:
    said: dict[str, Any] = {
        "prompt_tokens": 1,
        "cost": 0.5,
        "note": "a sentence of the provider",
        "A secret in a name": 1,
        "flag": True,
        "details": {"cached_tokens": 2, "text": "x", "deeper": {"n": 1, "too_deep": {"n": 1}}},
        "list": [1],
        "nan": float("nan"),
        "huge": 10**40,
    }
    assert keep_numbers(said) == {
        "prompt_tokens": 1,
        "cost": 0.5,
        "details": {"cached_tokens": 2, "deeper": {"n": 1}},
    }
    assert len(keep_numbers({f"n{i}": i for i in range(1000)})) == 64


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 7}, Usage(input_uncached=5, output=2)),
        (
            {"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokens": 3, "cacheWriteInputTokens": 10},
            Usage(input_uncached=5, cache_read=3, cache_write=10, output=2),
        ),
        (
            {"inputTokens": 5, "cacheWriteInputTokens": 10, "cacheDetails": [{"ttl": "1h", "inputTokens": 99}, 7]},
            Usage(input_uncached=5, cache_write=0, other={"cache_write_1h": 10}),
        ),
        ({"inputTokens": "5", "outputTokens": -1}, None),
    ],
)
def test_converse_tells_what_was_cached_beside_the_rest(said: dict[str, Any], usage: Usage | None) -> None:
    assert normalise_converse_usage(said) == usage


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        ({"billed_units": {"search_units": 2}}, Usage(input_uncached=0, output=0, other={"search": 2})),
        ({"billed_units": {"input_tokens": 5}, "tokens": {"input_tokens": 9}}, Usage(input_uncached=5, output=0)),
        ({"tokens": {"input_tokens": 9, "output_tokens": 1}}, Usage(input_uncached=9, output=1)),
        (
            {"billed_units": {"input_tokens": 5, "image_tokens": 7}, "cached_tokens": 9},
            Usage(input_uncached=0, cache_read=5, output=0, other={"input_image": 7}),
        ),
        ({"billed_units": None, "tokens": [], "cached_tokens": 4}, None),
    ],
)
def test_cohere_is_booked_by_what_it_bills(said: dict[str, Any], usage: Usage | None) -> None:
    assert normalise_cohere_usage(said) == usage


@pytest.mark.parametrize(
    ("said", "usage"),
    [
        (
            {"input_tokens": 7, "output_tokens": 9, "output_tokens_details": {"text_tokens": 2}},
            Usage(input_uncached=7, output=2, other={"output_image": 7}),
        ),
        (
            {"input_tokens": 7, "output_tokens": 9, "input_tokens_details": [1], "output_tokens_details": "x"},
            Usage(input_uncached=7, output=0, other={"output_image": 9}),
        ),
        ({"input_tokens": 2**53, "output_tokens": -1}, Usage(input_uncached=0, output=0)),
    ],
)
def test_pictures_are_counted_whatever_is_told_beside(said: dict[str, Any], usage: Usage) -> None:
    assert normalise_images_usage(said) == usage


def test_thoughts_and_words_are_not_more_than_the_books_hold() -> None:
    usage = normalise_gemini_usage({"candidatesTokenCount": 10**9, "thoughtsTokenCount": 10**9})
    assert usage == Usage(input_uncached=0, cache_read=0, cache_write=0, output=10**9, reasoning=10**9)


def test_many_pictures_are_not_more_than_the_books_hold() -> None:
    tally = Tally(attempt())
    listener = ImagesListener(tally, "auto/auto")
    said = json.dumps({"type": "x.completed", "usage": {"input_tokens": 10**9, "output_tokens": 10**9}}).encode()
    for _ in range(3):
        listener.hear(b"data: " + said + b"\n\n")
    assert tally.attempt.usage == Usage(input_uncached=10**9, output=0, other={"output_image": 10**9})


@pytest.mark.parametrize("size", ["1024x1024\x00", "what a provider says", "x" * 500, "1024X1024"])
def test_a_providers_words_name_no_meter(size: str) -> None:
    tally = Tally(attempt())
    body = {"data": [{"url": "http://x"}], "size": size, "quality": "low"}
    ImagesListener(tally, "auto/auto").answer(json.dumps(body).encode())
    assert tally.attempt.usage == Usage(input_uncached=0, output=0, other={"image/auto/auto": 1})
