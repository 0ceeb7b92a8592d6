"""The bill as PDF: complete, archivable, the same each time, and no name gets out of its place."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from typing import Any

import pytest

from onevault.invoices import pdf, text
from onevault.invoices.document import Document, read_value
from tests_py.invoices import sample
from tests_py.invoices.reading import figures_of, pages_of, read_pdf, squeeze
from tests_py.invoices.test_html import DOCUMENTS, named

HOSTILE = [
    '#import "/etc/passwd": *',
    '#read("/etc/passwd")',
    "#panic() $x^2$ *bold* _it_ `raw` <label> @ref \\u{41} // no /* comment */",
    '"; #sys.inputs.invoice ]} ',
    "</script><script>alert(1)</script>",
]


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_tells_the_same_figures_as_the_text(name: str) -> None:
    document = read_value(DOCUMENTS[name])
    told, page = figures_of(text.render(document)), figures_of("\n".join(pages_of(pdf.render(document))))
    assert len(told) > 10
    assert told <= page


def test_the_bill_of_the_brief_is_on_one_page() -> None:
    (page,) = pages_of(pdf.render(sample.sample()))
    lines = page.splitlines()
    for said in (
        "1,000,000 tokens processed $80.00",
        "Provider costs $60.00",
        "Gateway markup $20.00",
        "Real-time Analytics Dashboard $50.00",
        "Smart Routing & Optimization $100.00",
        "Compliance Reporting (HIPAA) $200.00",
        "Total $430.00",
        "Page 1 of 1",
    ):
        assert squeeze(said) in squeeze(page), lines


def test_the_same_document_is_the_same_bytes() -> None:
    assert pdf.render(read_value(sample.euro())) == pdf.render(read_value(sample.euro()))
    assert pdf.render(sample.sample(customer="other")) != pdf.render(sample.sample())


def test_the_same_bytes_in_another_process_at_another_place() -> None:
    code = (
        "import sys; from onevault.invoices import pdf; from onevault.invoices.document import read\n"
        "sys.stdout.buffer.write(pdf.render(read(sys.stdin.buffer.read())))"
    )
    import msgspec

    found = subprocess.run(
        [sys.executable, "-c", code],
        input=msgspec.json.encode(sample.brief()),
        capture_output=True,
        check=True,
        cwd="/",
        env={"TZ": "Pacific/Auckland", "LC_ALL": "C"},
    )
    assert found.stdout == pdf.render(sample.sample())


def test_it_says_whose_it_is_and_of_when() -> None:
    facts = read_pdf(pdf.render(sample.sample())).metadata
    assert facts is not None
    assert facts.title == "OneVault AI Gateway - Monthly Bill: OV-2026-000017, acme, November 2026"
    assert facts.author == "OneVault Gateway GmbH"
    assert facts.creation_date is not None
    assert facts.creation_date.isoformat() == "2026-12-01T00:00:00+00:00"


def test_a_draft_bears_the_moment_that_it_knows() -> None:
    facts = read_pdf(pdf.render(read_value(sample.draft()))).metadata
    assert facts is not None
    assert facts.creation_date is not None
    assert facts.creation_date.isoformat() == "2026-11-12T08:15:30+00:00"


@pytest.mark.parametrize("name", ["plain", "漢字", "\u202e\x00"])
def test_it_can_be_archived_and_read_aloud(name: str) -> None:
    reader = read_pdf(pdf.render(named(name)))
    root: Any = reader.root_object
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en"
    stated = root["/Metadata"].get_object().get_data().decode()
    assert "<pdfaid:part>2</pdfaid:part>" in stated
    assert "<pdfaid:conformance>A</pdfaid:conformance>" in stated
    assert "<pdfuaid:part>1</pdfuaid:part>" in stated
    box = reader.pages[0].mediabox
    assert (round(box.width), round(box.height)) == (595, 842)


def test_each_page_of_many_repeats_its_headings_and_counts() -> None:
    pages = pages_of(pdf.render(read_value(sample.many(200))))
    assert len(pages) > 3
    for number, page in enumerate(pages, start=1):
        assert f"Page {number} of {len(pages)}" in page
        assert "OneVault AI Gateway" in page
    for page in pages[1:]:
        assert "OV-2026-000017, acme, November 2026" in page
    for page in pages:
        if "/model-" in page:
            assert "Requests" in page
            # The provider of the first row stands above it, on each page anew.
            assert page.index("provider-") < page.index("/model-")
    assert {f"model-{n:04}" for n in range(1, 201)} == set(re.findall(r"model-\d{4}", "".join(pages)))


def test_a_thousand_lines_take_seconds() -> None:
    document = read_value(sample.many(1000))
    began = time.perf_counter()
    made = pdf.render(document)
    # 2.2 s on two cores; a machine that does other things besides may take longer.
    assert time.perf_counter() - began < 30
    assert "$1,500.00" in pages_of(made)[0]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_becomes_markup(name: str) -> None:
    shown = squeeze("".join(pages_of(pdf.render(named(name)))))
    assert shown.count(squeeze(name)) >= 10


@pytest.mark.parametrize("sign", ["\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\ufeff", "\ue000"])
def test_what_is_not_seen_is_replaced_by_what_is(sign: str) -> None:
    shown = "".join(pages_of(pdf.render(named(f"a{sign}b"))))
    assert "a\N{REPLACEMENT CHARACTER}b" in shown
    assert sign not in shown


@pytest.mark.parametrize("name", ["Žižkov Łódź ñ ß", "Ελλάδα", "Україна", "Հայերեն", "ქართული", "€£¥₹₽₺ ©®™ – … “”"])
def test_fonts_for_many_scripts_are_in_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_fonts_of_the_system(monkeypatch)
    made = pdf.render(named(name))
    assert "no font here" not in "".join(pages_of(made))
    assert squeeze(name) in squeeze("".join(pages_of(made)))
    for font in fonts_of(made):
        assert "/FontFile2" in font or "/FontFile3" in font


@pytest.mark.parametrize("name", ["שלום עולם", "شركة المثال", "नमस्ते"])
def test_scripts_that_join_or_run_from_the_right_are_drawn(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_fonts_of_the_system(monkeypatch)
    assert "no font here" not in "".join(pages_of(pdf.render(named(name))))


@pytest.mark.parametrize("name", ["漢字 Ltd", "e\u0301\u0302 漢\u0301", "漢\u0951"])
def test_a_script_without_a_font_is_seen_to_be_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forbid_fonts_of_the_system(monkeypatch)
    shown = "".join(pages_of(pdf.render(named(name))))
    assert "A sign that no font here can draw." in shown
    assert "\N{WHITE VERTICAL RECTANGLE}" in shown
    assert "漢" not in shown
    assert {"$430.00", "$80.00"} & figures_of(shown)


def test_long_names_stay_on_the_page_and_can_be_copied() -> None:
    name = "x" * 120 + "/" + "model-name.v1:" * 8
    made = pdf.render(named(name))
    right_edge = 595.3 - 56
    ends: list[float] = []
    for page in read_pdf(made).pages:
        page.extract_text(visitor_text=lambda _text, _cm, tm, _font, _size: ends.append(tm[4]))
    assert max(ends) < right_edge
    assert squeeze(name) in squeeze("".join(pages_of(made)))


def test_a_broken_template_is_not_taken_for_a_missing_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_template", lambda: b"#set document(title: 1)")
    with pytest.raises(RuntimeError, match="expected"):
        pdf.render(named("漢字 is not at fault, though no font may have it, and plain is not either"[20:]))


def test_the_command_line_does_not_load_the_compiler() -> None:
    code = (
        "import sys; from onevault.invoices import pdf, html, text; import onevault.cli.bill\n"
        "assert 'typst' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def forbid_fonts_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a machine without fonts of its own."""
    import typst

    whole = typst.Compiler
    monkeypatch.setattr(typst, "Compiler", lambda ignore_system_fonts: whole(ignore_system_fonts=True))


def fonts_of(made: bytes) -> list[set[str]]:
    """What each font's descriptor holds."""
    found = []
    for page in read_pdf(made).pages:
        for font in page["/Resources"]["/Font"].values():  # type: ignore[index]
            inner = font.get_object()["/DescendantFonts"][0].get_object()
            found.append(set(inner["/FontDescriptor"].get_object()))
    return found


def test_a_document_is_not_changed_by_being_rendered() -> None:
    document: Document = named("漢字")
    before = repr(document)
    pdf.render(document)
    assert repr(document) == before
