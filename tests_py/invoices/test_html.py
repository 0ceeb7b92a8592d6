"""The bill as one HTML page: complete, accessible, and no name gets out of its place."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onevault.invoices import html, text
from onevault.invoices.document import Document, read_value
from tests_py.invoices import sample
from tests_py.invoices.reading import Page, figures_of, squeeze

DOCUMENTS = {
    "brief": sample.brief(),
    "euro": sample.euro(),
    "credit note": sample.credit_note(),
    "draft": sample.draft(),
    "many": sample.many(200),
}
HOSTILE = [
    "</script><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'><svg/onload=alert(1)>",
    "</style></title><!-- ",
    "]]>&lt;b&gt;&#x202e;",
    "{{ 7 * 7 }} ${7*7}",
]


def named(name: str) -> Document:
    """A bill on which all that people name has one name."""
    party = {"legal_name": name, "address": [name], "tax_number": name, "email": name}
    lines = [
        sample.usage_line(1, "1.00") | {"provider": name, "model": name, "requests": 1, "plan": name},
        sample.other_line(2, "SERVICE", name, "1.00"),
        sample.other_line(3, "TAX", name, "1.00"),
    ]
    return sample.sample(
        tenant=name,
        customer=name,
        invoice_number=name,
        refers_to=name,
        seller=party | {"payment_instructions": [name]},
        buyer=party,
        lines=lines,
    )


@pytest.mark.parametrize("name", DOCUMENTS)
def test_it_tells_the_same_figures_as_the_text(name: str) -> None:
    document = read_value(DOCUMENTS[name])
    told, page = figures_of(text.render(document)), figures_of(Page(html.render(document)).text)
    assert len(told) > 10
    assert told <= page


def test_it_is_complete_in_itself_and_runs_nothing() -> None:
    page = Page(html.render(read_value(sample.euro())))
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & set(page.names)
    for _, attributes in page.elements:
        assert not {"src", "href", "srcset", "action", "style"} & set(attributes)
        assert not [name for name in attributes if name.startswith("on")]
    assert not re.search(r"url\(|@import|expression", page.style)
    assert "default-src 'none'" in str([values for name, values in page.elements if name == "meta"])


def test_it_can_be_heard_and_seen_by_everybody() -> None:
    page = Page(html.render(sample.sample()))
    assert page.elements[0] == ("html", {"lang": "en"})
    assert page.names.count("h1") == 1
    assert page.names.index("h1") < page.names.index("h2")
    assert page.names.count("main") == 1
    assert all("scope" in attributes for name, attributes in page.elements if name == "th")
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.elements
    colours = re.findall(r"--(?:ink|soft|accent): (#\w{6})", page.style) + re.findall(
        r"[^-]color: (#\w{6})", page.style
    )
    assert len(colours) >= 5
    for colour in colours:
        # WCAG AA on the grey of a mark, which is darker than the page.
        assert contrast(colour, "#f6f8fa") >= 4.5, colour


def test_it_prints_on_pages() -> None:
    style = Page(html.render(sample.sample())).style
    assert "@page" in style
    assert "counter(page)" in style
    assert "break-inside: avoid" in style


def test_it_marks_what_is_no_invoice() -> None:
    assert "<strong>DRAFT</strong>" in html.render(read_value(sample.draft()))
    assert "<strong>VOID</strong>" in html.render(sample.sample(status="void"))
    assert 'class="mark' not in html.render(sample.sample())


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_becomes_markup(name: str) -> None:
    page = Page(html.render(named(name)))
    assert page.names == Page(html.render(named("plain"))).names
    assert page.text.count(name.strip()) >= 10


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1, max_size=40))
def test_no_text_at_all_becomes_markup(name: str) -> None:
    # What is no ASCII is set apart with <bdi>; what is empty to the eye leaves its line out.
    marks = ("bdi", "br")
    page = Page(html.render(named(f"x{name}")))
    plain = Page(html.render(named("plain")))
    assert [e for e in page.names if e not in marks] == [e for e in plain.names if e not in marks]
    assert not set(page.text) & {"\x00", "\x1b", "\u202e", "\u2066", "\u200b", "\u2028"}


def test_a_name_read_from_the_right_is_set_apart() -> None:
    assert "<bdi>שלום</bdi>" in html.render(named("שלום"))


def test_a_thousand_lines_are_all_there() -> None:
    page = Page(html.render(read_value(sample.many(1000))))
    assert page.text.count("/model-") == 1000
    assert squeeze("Total $1,500.00") in squeeze(page.text)


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG 2 defines it."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
