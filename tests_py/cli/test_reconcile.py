"""Providers' own reports of usage, imported by the command."""

from __future__ import annotations

from pathlib import Path

from tests_py.cli.conftest import Cli
from tests_py.test_usage_files import REPORTS, SHAPES

STANDING = """
select count(*) from gateway.provider_usage_h as h
inner join gateway.provider_usage_s as s on h.provider_usage_hk = s.provider_usage_hk and s.load_end_date is null
inner join gateway.ai_provider_h as p on h.provider_hk = p.provider_hk
where p.provider_bk = %s
"""


def test_every_shape_is_imported_once(cli: Cli) -> None:
    for name in ("openai", "anthropic"):
        cli("provider", "set", name, "--endpoint", "http://127.0.0.1:9/v1")
    for name, rows in SHAPES.items():
        cli("provider", "set", name, "--endpoint", "http://127.0.0.1:9/v1")
        told = cli.json("reconcile", "import", str(REPORTS / name), "--provider", name)
        days = len({key[0] for key in rows})
        assert (told["provider"], told["added"], told["days"], told["first_day"]) == (
            name,
            len(rows),
            days,
            "2026-11-03",
        )
        assert cli.database.query(STANDING, name) == [(len(rows),)]
        again = cli.json("reconcile", "import", str(REPORTS / name), "--provider", name.upper())
        assert [again[what] for what in ("added", "corrected", "ended", "unchanged")] == [0, 0, 0, len(rows)]
    forgotten = cli.json("reconcile", "forget", name, "2026-11-01", "2026-11-30", "--reason", "it was another's")
    assert (forgotten["ended"], cli.database.query(STANDING, name)) == (len(rows), [(0,)])
    refused = cli.refusal("reconcile", "forget", "nobody", "2026-11-01", "2026-11-30", "--reason", "x")
    assert refused.startswith("There is no provider 'nobody'")
    exact = "select cost_usd::text from gateway.provider_usage_s where cost_usd::text like '%%0001'"
    assert cli.database.query(exact) == [("0.503835980000000000000000000001",)]


def test_whose_it_is_follows_from_the_format(cli: Cli, tmp_path: Path) -> None:
    report = REPORTS / "anthropic_usage.csv"
    assert cli.refusal("reconcile", "import", str(report)) == (
        "There is no provider 'anthropic'. Name one of admin.provider: onevault reconcile import FILE --provider NAME"
    )
    cli("provider", "set", "anthropic", "--endpoint", "http://127.0.0.1:9/v1")
    assert "anthropic-usage csv" in cli.text("reconcile", "import", str(report))
    bad = tmp_path / "bad.csv"
    bad.write_text(report.read_text().replace(",540,", ",0,") + "2026-11-03,x,,,,,-5,0,0,0,0,0,,\n")
    assert cli.refusal("reconcile", "import", str(report), str(bad)) == (
        "bad.csv: line 4: usage_input_tokens_no_cache is no whole number from 0 up: '-5'"
    )
    assert cli.database.query(STANDING, "anthropic") == [(1,)]
    corrected = tmp_path / "corrected.csv"
    corrected.write_text(report.read_text().replace(",40,0,", ",41,0,"))
    told = cli.json("reconcile", "import", str(corrected), "--format", "csv")
    assert (told["records"], told["corrected"], told["added"]) == (2, 1, 0)
    source = (
        "select load_end_date is null, output_tokens, record_source from gateway.provider_usage_s order by load_date"
    )
    assert cli.database.query(source) == [
        (False, 540, "anthropic-usage csv: anthropic_usage.csv"),
        (True, 541, "anthropic-usage csv: corrected.csv"),
    ]
