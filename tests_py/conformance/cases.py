"""The cases, a line each: who, how asked, what is told; and what it is in buckets and in USD, counted by hand.

To add one: name it "kind surface plain|stream what", tell the usage in the provider's words (`words.py`), write down the
buckets and what they cost by the price row of its book. Options are what differs from a whole answer of four pieces, 39
bytes, in which nothing goes wrong.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tests_py.conformance.words import (
    bare,
    beside,
    chat,
    cohere,
    converse,
    gemini,
    messages,
    pictures,
    responses,
)  # fmt: skip

FINAL = "provider_final"
ESTIMATED = "estimated"
PARTIAL = "provider_partial"


@dataclass(frozen=True)
class Case:
    """One case. `plays` are fields of the scenario, `asks` of the request; it `ends` well or in a class of error."""

    name: str
    book: str
    says: dict[str, Any] | None
    buckets: str
    usd: str
    ends: str = "ok"
    source: str | None = FINAL
    tier: str | None = None
    asked_tier: str = "standard"
    leaves: str = ""
    """When the customer hangs up: "asked" or "answered", that is before the response's head or after it."""
    plays: dict[str, Any] = field(default_factory=dict)
    asks: dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        return self.name.split()[0]

    @property
    def surface(self) -> str:
        return self.name.split()[1]

    @property
    def streamed(self) -> bool:
        return self.name.split()[2] == "stream"


C = Case
PLAIN_AND_STREAM = ("plain", "stream")
CUT: dict[str, Any] = {"ends": "truncated_stream", "source": ESTIMATED}
LOST: dict[str, Any] = {"ends": "server_error", "source": None}
GONE: dict[str, Any] = {"ends": "gone", "leaves": "answered"}

# One line a case, however long.
# fmt: off
CASES: list[Case] = []
for how in PLAIN_AND_STREAM:
    CASES += [
        # OpenAI: what is cached, written or heard lies inside the prompt, what is thought or spoken inside the completion.
        C(f"openai chat {how} simple", "cached", chat(100, 20), "100 in, 20 out", "0.0006"),
        C(f"openai chat {how} nothing", "cached", chat(100, 0), "100 in", "0.0003", plays={"pieces": ()}),
        C(f"openai chat {how} cached", "cached", chat(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438"),
        C(f"openai chat {how} all-cached", "cached", chat(100, 20, cached=100), "100 read, 20 out", "0.00033"),
        C(f"openai chat {how} written", "cached", chat(100, 20, cached=60, written=30), "10 in, 60 read, 30 write, 20 out", "0.0004605"),
        C(f"openai chat {how} more-cached-than-prompted", "cached", chat(100, 20, cached=150), "100 read, 20 out", "0.00033"),
        C(f"openai chat {how} thought", "cached", chat(100, 500, thought=480), "100 in, 500 out, 480 thought", "0.0078"),
        C(f"openai chat {how} tools", "cached", chat(100, 20), "100 in, 20 out", "0.0006", plays={"pieces": (), "calls": "weather"}),
        C(f"openai chat {how} no-details", "bare", bare(7, 3), "7 in, 3 out", "0.000013"),
        C(f"openai chat {how} beside", "bare", beside(7, 3, 90), "7 in, 93 out, 90 thought", "0.000193"),
        C(f"openai chat {how} untold", "cached", None, "25 in, 10 out", "0.000225", source=ESTIMATED, plays={"usage_on": "never"}),
        C(f"openai chat {how} sound", "sound", chat(100, 40, sound=30, spoken=25), "70 in, 30 audio-in, 15 out, 25 audio-out", "0.003525"),
        C(f"openai chat {how} below-the-step", "steps", chat(199_999, 10), "199999 in, 10 out", "0.400098"),
        C(f"openai chat {how} at-the-step", "steps", chat(200_000, 10, cached=50_000), "150000 in, 50000 read, 10 out", "0.3101"),
        C(f"openai chat {how} above-the-step", "steps", chat(200_001, 10, cached=50_000), "150001 in, 50000 read, 10 out", "0.620154"),
        C(f"openai chat {how} tier-as-asked", "tiers", chat(100, 20), "100 in, 20 out", "0.00018", tier="flex", asked_tier="flex"),
        C(f"openai chat {how} tier-better", "tiers", chat(100, 20), "100 in, 20 out", "0.00063", tier="priority"),
        C(f"openai chat {how} tier-worse", "tiers", chat(100, 20), "100 in, 20 out", "0.00036", tier="default", asked_tier="priority"),
        C(f"openai chat {how} tier-without-price", "tiers", chat(100, 20), "100 in, 20 out", "0.00036", tier="ultra"),
        C(f"openai responses {how} simple", "cached", responses(100, 20), "100 in, 20 out", "0.0006"),
        C(f"openai responses {how} cached-written-thought", "cached", responses(100, 50, cached=60, written=30, thought=40),
          "10 in, 60 read, 30 write, 50 out, 40 thought", "0.0009105"),
        C(f"openai responses {how} incomplete", "cached", responses(100, 20), "100 in, 20 out", "0.0006", plays={"ends": "length"}),
        C(f"openai responses {how} tools", "cached", responses(100, 20), "100 in, 20 out", "0.0006", plays={"pieces": (), "calls": "weather"}),
        C(f"openai responses {how} search", "cached", responses(100, 20), "100 in, 20 out, 1 search", "0.0106", plays={"blocks": "search"}),
        C(f"openai responses {how} untold", "cached", None, "25 in, 10 out", "0.000225", source=ESTIMATED, plays={"usage_on": "never"}),
        C(f"openai responses {how} tier", "tiers", responses(100, 20), "100 in, 20 out", "0.00018", tier="flex"),
        C(f"openai responses {how} failed", "cached", responses(100, 20), "100 in, 20 out", "0.0006", ends="server_error",
          source=PARTIAL, plays={"ends": "failed"}),
        C(f"openai messages {how} from-the-other-side", "cached", chat(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438"),
        C(f"azure chat {how} cached", "cached", chat(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438"),
        C(f"mistral chat {how} simple", "bare", bare(100, 20), "100 in, 20 out", "0.00014"),
        # Anthropic: input is what no cache had to do with; caches are written for minutes or for an hour.
        C(f"anthropic messages {how} simple", "cached", messages(100, 20), "100 in, 20 out", "0.0006"),
        C(f"anthropic messages {how} read", "cached", messages(100, 20, read=5000), "100 in, 5000 read, 20 out", "0.0021"),
        C(f"anthropic messages {how} written-for-minutes", "cached", messages(100, 20, short=700), "100 in, 700 write, 20 out", "0.003225"),
        C(f"anthropic messages {how} written-for-an-hour", "cached", messages(100, 20, hour=700), "100 in, 700 hour, 20 out", "0.0048"),
        C(f"anthropic messages {how} written-for-both", "cached", messages(1, 2, read=3, short=4, hour=5), "1 in, 3 read, 4 write, 5 hour, 2 out", "0.0000789"),
        C(f"anthropic messages {how} without-a-price-for-hours", "bare", messages(100, 20, hour=700), "100 in, 700 hour, 20 out", "0.00084"),
        C(f"anthropic messages {how} thinking", "cached", messages(100, 500), "100 in, 500 out", "0.0078", plays={"thinking": ("Let me", " think.")}),
        C(f"anthropic messages {how} searched", "cached", messages(100, 20, searches=3), "100 in, 20 out, 3 search", "0.0306"),
        C(f"anthropic messages {how} paused", "cached", messages(100, 20, searches=1), "100 in, 20 out, 1 search", "0.0106", plays={"ends": "pause_turn"}),
        C(f"anthropic messages {how} declined", "cached", messages(100, 5), "100 in, 5 out", "0.000375", plays={"ends": "refusal"}),
        C(f"anthropic messages {how} untold", "cached", None, "25 in, 10 out", "0.000225", source=ESTIMATED, plays={"usage_on": "never"}),
        C(f"anthropic messages {how} above-the-step", "steps", messages(1, 10, read=150_000, short=50_000), "1 in, 150000 read, 50000 write, 10 out", "0.310154"),
        C(f"anthropic messages {how} at-the-step", "steps", messages(0, 10, read=150_000, short=50_000), "150000 read, 50000 write, 10 out", "0.1551"),
        C(f"anthropic chat {how} searched", "cached", messages(100, 20, searches=3), "100 in, 20 out, 3 search", "0.0306", asks={"web_search_options": {}}),
        C(f"anthropic chat {how} might-have-searched", "cached", messages(100, 20), "100 in, 20 out", "0.0006", asks={"web_search_options": {}}),
        C(f"anthropic messages {how} anywhere", "regions", messages(100, 20, inference_geo="global"), "100 in, 20 out", "0.001", tier="standard"),
        C(f"anthropic messages {how} here", "regions", messages(100, 20, inference_geo="us", read=10), "100 in, 10 read, 20 out", "0.0011055", tier="geo_us", asked_tier="geo_us"),
        C(f"anthropic messages {how} here-unasked", "regions", messages(100, 20, inference_geo="us"), "100 in, 20 out", "0.0011", tier="geo_us"),
        C(f"anthropic messages {how} here-and-fast", "regions", messages(100, 20, inference_geo="us", speed="fast"), "100 in, 20 out", "0.0066", tier="geo_us_fast", asked_tier="geo_us_fast"),
        C(f"anthropic messages {how} here-untold", "regions", messages(100, 20, tier=""), "100 in, 20 out", "0.0011", asked_tier="geo_us"),
        C(f"anthropic messages {how} here-with-searches", "regions", messages(100, 20, inference_geo="us", searches=2), "100 in, 20 out, 2 search", "0.0211", tier="geo_us", asked_tier="geo_us"),
        C(f"anthropic messages {how} there-without-price", "regions", messages(100, 20, inference_geo="eu"), "100 in, 20 out", "0.001", tier="geo_eu"),
        C(f"anthropic messages {how} tier", "tiers", messages(100, 20, tier="priority"), "100 in, 20 out", "0.00063", tier="priority"),
        C(f"anthropic chat {how} from-the-other-side", "cached", messages(1, 2, read=3, short=4, hour=5), "1 in, 3 read, 4 write, 5 hour, 2 out", "0.0000789"),
        C(f"anthropic responses {how} from-the-other-side", "cached", messages(100, 20, read=50), "100 in, 50 read, 20 out", "0.000615"),
        # Google: the prompt holds what was cached; thoughts and what tools brought lie beside.
        C(f"google chat {how} simple", "cached", gemini(100, 20), "100 in, 20 out", "0.0006"),
        C(f"google chat {how} cached", "cached", gemini(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438"),
        C(f"google chat {how} thoughts", "cached", gemini(100, 20, thought=400), "100 in, 420 out, 400 thought", "0.0066"),
        C(f"google chat {how} tools-prompted", "cached", gemini(100, 20, tools=30), "130 in, 20 out", "0.00069"),
        C(f"google chat {how} sound", "sound", gemini(100, 20, sound=64), "36 in, 64 audio-in, 20 out", "0.00285"),
        C(f"google chat {how} drawn", "sound", gemini(100, 20, drawn=1290), "100 in, 20 out, 1290 image-out", "0.05205", plays={"image": True}),
        C(f"google chat {how} blocked", "cached", gemini(100, 0), "100 in", "0.0003", plays={"pieces": (), "ends": "blocked"}),
        C(f"google chat {how} above-the-step", "steps", gemini(200_001, 10), "200001 in, 10 out", "0.800154"),
        C(f"google chat {how} tools-step-over", "steps", gemini(199_000, 10, tools=1_001), "200001 in, 10 out", "0.800154"),
        C(f"google chat {how} priority", "tiers", gemini(100, 20, traffic="ON_DEMAND_PRIORITY"), "100 in, 20 out", "0.00063", tier="priority"),
        C(f"google chat {how} untold", "cached", None, "25 in, 10 out", "0.000225", source=ESTIMATED, plays={"usage_on": "never"}),
        C(f"google messages {how} from-the-other-side", "cached", gemini(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438"),
        # Bedrock and Cohere.
        C(f"bedrock chat {how} cached", "cached", converse(100, 20, read=30, short=40, hour=50), "100 in, 30 read, 40 write, 50 hour, 20 out", "0.001059"),
        C(f"bedrock messages {how} simple", "cached", converse(100, 20), "100 in, 20 out", "0.0006"),
        C(f"bedrock chat {how} untold", "cached", None, "25 in, 10 out", "0.000225", source=ESTIMATED, plays={"usage_on": "never"}),
        C(f"cohere chat {how} billed", "bare", cohere(80, 20, seen=130), "80 in, 20 out", "0.00012"),
        C(f"cohere messages {how} billed", "bare", cohere(80, 20, seen=130), "80 in, 20 out", "0.00012"),
        # Errors that are told with status 200: nothing came, so nothing is charged.
        C(f"openai chat {how} error-inside-200", "cached", chat(100, 20), "", "0", ends="overloaded" if how == "stream" else "server_error",
          source=None, plays={"error_after": 0}),
        C(f"openai responses {how} error-inside-200", "cached", responses(100, 20), "", "0", **LOST, plays={"error_after": 0}),
        C(f"anthropic messages {how} error-inside-200", "cached", messages(100, 20), "", "0", ends="overloaded" if how == "stream" else "server_error",
          source=None, plays={"error_after": 0}),
        C(f"google chat {how} error-inside-200", "cached", gemini(100, 20), "", "0", ends="overloaded" if how == "stream" else "server_error",
          source=None, plays={"error_after": 0}),
        C(f"openai chat {how} left-before-the-head", "cached", chat(100, 20), "", "0", ends="gone", source=None, leaves="asked", plays={"wait": -1}),
    ]

CASES += [
    # Streams that tell their usage again and again: the last word counts, and is a sum already.
    C("openai chat stream told-on-every-chunk", "cached", chat(100, 20), "100 in, 20 out", "0.0006", plays={"usage_on": "every"}),
    C("anthropic messages stream told-on-every-block", "cached", messages(100, 20, short=30, hour=40), "100 in, 30 write, 40 hour, 20 out", "0.0009525",
      plays={"usage_on": "every"}),
    C("anthropic messages stream told-in-crlf", "cached", messages(100, 20), "100 in, 20 out", "0.0006", plays={"form": "crlf"}),
    C("openai chat stream told-byte-by-byte", "cached", chat(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438", plays={"form": "bytewise"}),
    C("google chat stream told-byte-by-byte", "cached", gemini(100, 20, cached=60), "40 in, 60 read, 20 out", "0.000438", plays={"form": "bytewise"}),
    C("bedrock chat stream told-byte-by-byte", "cached", converse(100, 20), "100 in, 20 out", "0.0006", plays={"form": "bytewise"}),
    # Cut before the first word: nothing is charged, though Anthropic and Google have told what they read.
    C("openai chat stream cut-before-words", "cached", chat(100, 20), "", "0", ends="truncated_stream", source=None, plays={"cut_after": 1}),
    C("openai responses stream cut-before-words", "cached", responses(100, 20), "", "0", ends="truncated_stream", source=None, plays={"cut_after": 3}),
    C("anthropic messages stream cut-before-words", "cached", messages(100, 20), "100 in", "0.0003", ends="truncated_stream", source=PARTIAL, plays={"cut_after": 2}),
    C("openai chat stream cut-without-a-word", "cached", chat(100, 20), "", "0", ends="connect", source=None, plays={"cut_head": True}),
    # Cut in the middle: 16 bytes of text were said, four a token; what was read is known from those who tell it first.
    C("openai chat stream cut", "cached", chat(100, 20), "25 in, 4 out", "0.000135", **CUT, plays={"cut_after": 3}),
    C("openai chat stream cut-inside-an-event", "cached", chat(100, 20), "25 in, 4 out", "0.000135", **CUT, plays={"cut_after": 3, "cut_inside": True}),
    C("openai chat stream ended-without-an-end", "cached", chat(100, 20), "25 in, 4 out", "0.000135", **CUT, plays={"end_after": 3}),
    C("openai responses stream cut", "cached", responses(100, 20), "25 in, 4 out", "0.000135", **CUT, plays={"cut_after": 6}),
    C("anthropic messages stream cut", "cached", messages(100, 20, read=30, hour=40), "100 in, 30 read, 40 hour, 4 out", "0.000609", **CUT, plays={"cut_after": 5}),
    C("google chat stream cut", "cached", gemini(100, 20), "100 in, 2 out", "0.00033", ends="truncated_stream", source=PARTIAL, plays={"cut_after": 2}),
    C("bedrock chat stream cut", "cached", converse(100, 20), "25 in, 4 out", "0.000135", **CUT, plays={"cut_after": 3}),
    C("cohere chat stream cut", "bare", cohere(80, 20), "25 in, 4 out", "0.000033", **CUT, plays={"cut_after": 4}),
    C("anthropic chat stream cut-from-the-other-side", "cached", messages(100, 20), "100 in, 4 out", "0.00036", **CUT, plays={"cut_after": 5}),
    C("openai chat stream error-in-the-middle", "cached", chat(100, 20), "25 in, 4 out", "0.000135", ends="overloaded", source=ESTIMATED, plays={"error_after": 3}),
    C("anthropic messages stream error-in-the-middle", "cached", messages(100, 20), "100 in, 4 out", "0.00036", ends="overloaded", source=ESTIMATED,
      plays={"error_after": 5}),
    C("bedrock chat stream error-in-the-middle", "cached", converse(100, 20), "25 in, 4 out", "0.000135", ends="rate_limited", source=ESTIMATED,
      plays={"error_after": 3, "code": "throttlingException"}),
    # The customer leaves: before the first word, in the middle, at the end.
    C("openai chat stream left-before-words", "cached", chat(100, 20), "", "0", **GONE, source=None, plays={"stall_after": 1}),
    C("openai chat stream left-in-the-middle", "cached", chat(100, 20), "25 in, 4 out", "0.000135", **GONE, source=ESTIMATED, plays={"stall_after": 3}),
    C("openai chat stream left-at-the-end", "cached", chat(100, 20), "100 in, 20 out", "0.0006", **GONE, source=PARTIAL, plays={"stall_after": 7}),
    C("openai responses stream left-in-the-middle", "cached", responses(100, 20), "25 in, 4 out", "0.000135", **GONE, source=ESTIMATED, plays={"stall_after": 6}),
    C("anthropic messages stream left-before-words", "cached", messages(100, 20, read=7), "100 in, 7 read", "0.0003021", **GONE, source=PARTIAL, plays={"stall_after": 2}),
    C("anthropic messages stream left-in-the-middle", "cached", messages(100, 20), "100 in, 4 out", "0.00036", **GONE, source=ESTIMATED, plays={"stall_after": 5}),
    C("anthropic messages stream left-at-the-end", "cached", messages(100, 20), "100 in, 20 out", "0.0006", **GONE, source=PARTIAL, plays={"stall_after": 9}),
    C("google chat stream left-in-the-middle", "cached", gemini(100, 20), "100 in, 2 out", "0.00033", **GONE, source=PARTIAL, plays={"stall_after": 2}),
    C("bedrock chat stream left-in-the-middle", "cached", converse(100, 20), "25 in, 4 out", "0.000135", **GONE, source=ESTIMATED, plays={"stall_after": 3}),
    # Only the cache is filled.
    C("anthropic messages plain filled", "cached", messages(15, 0, read=3, short=6, hour=4), "15 in, 3 read, 6 write, 4 hour", "0.0000924",
      asks={"max_tokens": 0}, plays={"pieces": ()}),
    # What has no conversation.
    C("openai embeddings plain simple", "bare", {"prompt_tokens": 12, "total_tokens": 12}, "12 in", "0.000012"),
    C("openai embeddings plain untold", "bare", None, "25 in", "0.000025", source=ESTIMATED, plays={"usage_on": "never"}),
    C("mistral embeddings plain simple", "bare", bare(12, 0), "12 in", "0.000012"),
    C("google embeddings plain simple", "bare", {"promptTokenCount": 12}, "12 in", "0.000012"),
    C("cohere embeddings plain billed", "bare", {"billed_units": {"input_tokens": 12}}, "12 in", "0.000012"),
    C("voyage embeddings plain simple", "bare", {"total_tokens": 12}, "12 in", "0.000012"),
    C("cohere rerank plain units", "ranks", {"billed_units": {"search_units": 2}}, "2 search", "0.004"),
    C("voyage rerank plain tokens", "ranks", {"total_tokens": 700}, "700 in", "0.000035"),
    C("openai images plain by-tokens", "sound", pictures(10, 40, 272), "10 in, 40 image-in, 272 image-out", "0.011305"),
    C("openai images stream by-tokens", "sound", pictures(10, 40, 272), "10 in, 40 image-in, 272 image-out", "0.011305"),
    C("openai image_edits plain by-tokens", "sound", pictures(10, 400, 272), "10 in, 400 image-in, 272 image-out", "0.014905"),
    C("openai images plain by-the-piece", "pictures", None, "2 image/1024x1024/low", "0.022", plays={"usage_on": "never"}, asks={"n": 2}),
    C("openai count_tokens plain for-nothing", "cached", None, "", "0"),
    C("anthropic count_tokens plain for-nothing", "cached", None, "", "0"),
]
