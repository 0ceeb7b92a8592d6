"""Providers' reports of usage: every shape in our buckets, and what is refused, with its line."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onevault import usage_files, usage_rows
from onevault.usage_files import read_usage
from onevault.usage_rows import UsageFileError

REPORTS = Path(__file__).parent / "usage_reports"
DAY = {"start_time": 1793664000, "end_time": 1793750400}  # 2026-11-03


def rows_of(*names: str) -> dict[tuple[str, ...], dict[str, Any]]:
    """What files say, without zeros, by day, kind, model, key and tier."""
    found = {}
    for row in read_usage([REPORTS / name for name in names]).rows():
        key = tuple(
            str(row[name]) for name in ("usage_day", "usage_kind", "model_name", "provider_key_id", "service_tier")
        )
        rest = {"provider", "usage_day", "usage_kind", "model_name", "provider_key_id", "service_tier"}
        found[key] = {name: value for name, value in row.items() if name not in rest and value not in (0, {}, "0")}
    return found


NOTHING = ("2026-11-04", "COMPLETION", "", "", "")
GPT = ("2026-11-03", "COMPLETION", "gpt-5-2026-03-01", "key_A", "default")
SONNET = "claude-sonnet-4-5-20250929"
OPENAI = {"requests": 10, "input_uncached_tokens": 2700, "cache_read_tokens": 300, "output_tokens": 900}
ANTHROPIC = {
    "input_uncached_tokens": 1800, "cache_read_tokens": 200, "cache_write_tokens": 500, "cache_write_1h_tokens": 1000,
    "output_tokens": 540, "other_usage": {"search": 10},
}  # fmt: skip
SHAPES: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {
    "openai_usage.json": {
        GPT: OPENAI,
        ("2026-11-03", "COMPLETION", "gpt-audio", "key_B", "batch"): {
            "requests": 1, "input_uncached_tokens": 450, "cache_read_tokens": 200, "cache_write_tokens": 100,
            "output_tokens": 100,
            "other_usage": {"input_audio": 80, "cache_read_audio": 50, "input_image": 20, "output_audio": 60},
        },
        NOTHING: {},
    },
    "openai_usage.csv": {GPT: OPENAI, NOTHING: {}},
    "openai_costs.json": {
        ("2026-11-03", "COST", "gpt-5-2026-03-01", "", ""): {"cost_usd": "0.0323456789012345678"},
        ("2026-11-03", "COST", "gpt-audio", "", ""): {"cost_usd": "-0.005"},
        ("2026-11-04", "COST", "", "", ""): {},
    },
    "openai_costs.csv": {
        ("2026-11-03", "COST", "gpt-5-2026-03-01", "key_A", ""): {"cost_usd": "0.503835980000000000000000000001"},
        ("2026-11-04", "COST", "", "", ""): {},
    },
    "anthropic_usage.json": {("2026-11-03", "COMPLETION", SONNET, "apikey_01A", "standard"): ANTHROPIC, NOTHING: {}},
    "anthropic_usage.csv": {("2026-11-03", "COMPLETION", SONNET, "gateway", "standard"): ANTHROPIC},
    "anthropic_costs.json": {
        ("2026-11-03", "COST", SONNET, "", "standard"): {"cost_usd": "1.2378912"},
        ("2026-11-03", "COST", "", "", ""): {"cost_usd": "0.10"},
    },
    "anthropic_costs.csv": {
        ("2026-11-03", "COST", "Claude Sonnet 4.5", "apikey_01A", "message"): {"cost_usd": "1.2545"},
    },
}  # fmt: skip


@pytest.mark.parametrize("name", SHAPES)
def test_each_shape_is_read_into_our_buckets(name: str) -> None:
    assert {path.name for path in REPORTS.iterdir()} == set(SHAPES)
    assert rows_of(name) == SHAPES[name]


def write(path: Path, *results: dict[str, Any], **bucket: Any) -> Path:
    """A page of one bucket, each result on a line of its own."""
    lines = ",\n".join(json.dumps({"object": "organization.usage.completions.result", **result}) for result in results)
    begin = json.dumps({"object": "bucket", **DAY, **bucket})[:-1]
    path.write_text(f'{{"object": "page", "data": [\n{begin},\n"results": [\n{lines}\n]}}]}}')
    return path


GOOD = {"input_tokens": 10, "output_tokens": 5, "num_model_requests": 1, "model": "gpt-5"}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"input_tokens": -1}, "input_tokens is no whole number from 0 up: '-1'"),
        ({"input_tokens": 1.5}, "input_tokens is no whole number from 0 up: '1.5'"),
        ({"input_tokens": True}, "input_tokens is no whole number from 0 up: 'True'"),
        ({"input_tokens": 10**16}, "input_tokens is no whole number from 0 up: '10000000000000000'"),
        ({"input_tokens": None}, "it has no input_tokens"),
        ({"input_cached_tokens": 11}, "its parts of the input are more than the whole"),
        ({"model": "a\u0000b"}, "model is no name of at most 255 signs"),
        ({"model": ["gpt"]}, "model is no name of at most 255 signs"),
        ({"service_tier": "t" * 41}, "service_tier is no name of at most 40 signs"),
        ({"batch": 3}, "batch is neither true nor false: '3'"),
        (
            {"object": "organization.usage.vector_stores.result"},
            "'organization.usage.vector_stores.result' is not compared",
        ),
    ],
)
def test_a_bad_result_refuses_the_file_with_its_line(tmp_path: Path, change: dict[str, Any], reason: str) -> None:
    path = write(tmp_path / "page.json", GOOD, {**GOOD, "model": "other"}, {**GOOD, **change})
    with pytest.raises(UsageFileError) as refused:
        read_usage([path])
    assert str(refused.value).startswith(f"page.json: line 6: {reason}")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("usage_date_utc,model,cost_usd\n2026-11-03,a,1\n2026-11-03,a,x\n", "line 3: cost_usd is no amount: 'x'"),
        ("usage_date_utc,model,cost_usd\n2026-11-03,a,NaN\n", "line 2: cost_usd is no amount: 'NaN'"),
        ("usage_date_utc,model,cost_usd\n2026-11-03,a\n", "line 2: it has 2 fields, the heading has 3"),
        ("usage_date_utc,model,cost_usd\n2026-02-30,a,1\n", "line 2: usage_date_utc is no day of the calendar"),
        ("usage_date_utc,model,cost_usd\n0001-01-01,a,1\n", "line 2: 0001-01-01 is not a day of usage"),
        ("usage_date_utc,model,cost_usd,model\n", "line 1: a column is there twice"),
        ('usage_date_utc,model,cost_usd\n2026-11-03,"a"b,1\n', "line 2: it is no CSV"),
        ("start_time,end_time,amount_value,amount_currency\n1793664000,1793750400,1,eur\n", "line 2: its currency is"),
        ("start_time,end_time,amount_value\n1793664000,1793750401,1\n", "line 2: its bucket is no part of one day"),
        ("name,age\n", "line 1: no columns of OpenAI's or Anthropic's exports"),
        ("", "line 0: no columns of OpenAI's or Anthropic's exports"),
        ("usage_date_utc,model,cost_usd\n", "no usage is told of"),
        ('{"data": [\n{"starting_at": "2026-11-03"}]}', 'line 2: it has no list "results"'),
        ('{"data": [\n]', "line 2: it is no JSON: Expecting ',' delimiter"),
        ('{"data": []}', "line 1: nothing says what it is of: use --format with one of openai-usage, "),
        ("[" * 100_000, "it is nested deeper than any report of usage"),
        ('{"data": [1e999999, NaN]}', "it has a number that is none"),
        ("[" + "9" * 5000 + "]", "it has a number that is none"),
        ("[3]", 'line 1: it has no list "data"'),
    ],
)  # fmt: skip
def test_what_is_no_report_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "file").write_text(text)
    with pytest.raises(UsageFileError) as refused:
        read_usage([tmp_path / "file"]).rows()
    assert str(refused.value).removeprefix("file: ").startswith(reason)


def test_pages_are_one_report_and_a_page_counts_once(tmp_path: Path) -> None:
    noon = DAY["start_time"] + 43_200
    morning = write(tmp_path / "1.json", GOOD, end_time=noon)
    evening = write(tmp_path / "2.json", GOOD, start_time=noon)
    (row,) = read_usage([morning, evening]).rows()
    assert (row["requests"], row["input_uncached_tokens"]) == (2, 20)
    one_file = tmp_path / "all.jsonl"
    one_file.write_text(morning.read_text() + "\n" + evening.read_text())
    assert read_usage([one_file]).rows() == [row]
    one_file.write_text(f"[{morning.read_text()},{evening.read_text()}]")
    assert read_usage([one_file]).rows() == [row]
    with pytest.raises(UsageFileError, match=r"2026-11-03 is told of in part \(12 hours of 24\)"):
        read_usage([morning]).rows()
    with pytest.raises(UsageFileError, match=r"2.json: line 2: its bucket .* was told of already"):
        read_usage([morning, evening, evening])
    with pytest.raises(UsageFileError, match="openai-costs, and the files before it are openai-usage"):
        read_usage([morning, REPORTS / "openai_costs.json"])


def test_a_page_without_usage_is_of_the_kind_of_the_others(tmp_path: Path) -> None:
    """Catches: a page of embeddings, of which there were none, that says that there were no completions either."""
    vector = {"object": "organization.usage.embeddings.result", "input_tokens": 10, "num_model_requests": 1}
    first = write(tmp_path / "1.json", vector)
    next_day = {"start_time": DAY["end_time"], "end_time": DAY["end_time"] + 86_400}
    quiet = tmp_path / "2.json"
    quiet.write_text(json.dumps({"object": "page", "data": [{"object": "bucket", **next_day, "results": []}]}))
    for pages in ([first, quiet], [quiet, first]):
        told = [(row["usage_day"], row["usage_kind"]) for row in read_usage(pages, "openai-usage").rows()]
        assert told == [("2026-11-03", "EMBEDDING"), ("2026-11-04", "EMBEDDING")]
    (row,) = read_usage([quiet], "openai-usage").rows()
    assert (row["usage_day"], row["usage_kind"], row["requests"]) == ("2026-11-04", "COMPLETION", 0)
    other = write(tmp_path / "3.json", GOOD)
    with pytest.raises(UsageFileError, match="not whether of COMPLETION or EMBEDDING: import one kind at a time"):
        read_usage([first, other, quiet], "openai-usage").rows()
    with pytest.raises(UsageFileError, match=r"2.json: line 1: its bucket .* was told of already"):
        read_usage([quiet, quiet], "openai-usage")
    again = write(tmp_path / "4.json", vector, **next_day)
    with pytest.raises(UsageFileError, match="was told of already"):
        read_usage([quiet, again], "openai-usage").rows()


def test_what_is_held_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage_rows, "MAX_ROWS", 3)
    monkeypatch.setattr(usage_files, "MAX_PAGES_BYTES", 5000)
    heading = "usage_date_utc,model,cost_usd\n"
    path = tmp_path / "file"
    path.write_text(heading + "2026-11-03,a,0.1\n" * 100_000)
    (row,) = read_usage([path]).rows()
    assert Decimal(row["cost_usd"]) == 10_000
    path.write_text(heading + "".join(f"2026-11-03,{name},1\n" for name in "abcd"))
    with pytest.raises(UsageFileError, match="line 5: there are more than 3 things told apart"):
        read_usage([path])
    with pytest.raises(UsageFileError, match="longer than 5000 bytes"):
        read_usage([write(path, *[GOOD] * 100)])
    path.write_text(heading + "a" * 2**21)
    with pytest.raises(UsageFileError, match="longer than a line"):
        read_usage([path])


@given(st.binary(max_size=300))
@example(b'{"data": [{"starting_at": 5, "results": [{"amount": 3}]}]}')
@example(b'[{"data":[{"start_time":1e3,"end_time":{},"results":[]}]}]')
@example(b"usage_date_utc,cost_usd\n\x00,\n")
def test_nonsense_is_refused_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "nonsense"
    path.write_bytes(content)
    with pytest.raises(UsageFileError):
        read_usage([path]).rows()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["-1", "1793664000"]),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["value", "currency"]), inner, max_size=2)
    ),
    max_leaves=3,
)


@given(
    st.sampled_from(["openai_usage.json", "openai_costs.json", "anthropic_usage.json", "anthropic_costs.json"]),
    st.data(),
)
def test_reports_with_a_wrong_value_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    page = json.loads((REPORTS / name).read_text())
    bucket = page["data"][0]
    result = bucket["results"][0]
    where = data.draw(st.sampled_from([page, bucket, result]))
    where[data.draw(st.sampled_from(sorted(where)))] = data.draw(JSON)
    path = tmp_path_factory.getbasetemp() / "wrong.json"
    path.write_text(json.dumps(page))
    try:
        rows = read_usage([path]).rows()
    except UsageFileError:
        return
    for row in rows:
        assert Decimal(row["cost_usd"]).is_finite()
        assert all(isinstance(number, int) and number >= 0 for name, number in row.items() if name.endswith("_tokens"))
