"""Every part stands under a licence that may be delivered, and the page that says so is current."""

from __future__ import annotations

import pytest

from supply import licences
from supply.licences import PAGE, LicenceUnknown, is_allowed, licence_of, render_page
from supply.lock import ROOT, RUNTIME, read_lock

PARTS = sorted(name for name, part in read_lock(RUNTIME).items() if part.here)


@pytest.mark.parametrize("name", PARTS)
def test_each_part_may_be_delivered(name: str) -> None:
    assert is_allowed(licence_of(name)), licence_of(name)


def test_the_page_is_current() -> None:
    page = (ROOT / PAGE).read_text()
    assert page == render_page(page), "write it again with: make licences"


def test_the_page_keeps_what_only_another_system_installs() -> None:
    other = next(part for part in read_lock(RUNTIME).values() if not part.here)
    row = f"| {other.name} | {other.version} | MIT |"
    assert row in render_page(row)
    assert other.name not in render_page(f"| {other.name} | 0.0.1 | MIT |")


@pytest.mark.parametrize(
    ("expression", "allowed"),
    [
        ("MIT", True),
        ("MIT AND Apache-2.0", True),
        ("GPL-3.0-only OR MIT", True),
        ("MPL-2.0 AND (Apache-2.0 OR MIT)", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("MIT AND (GPL-2.0-only OR SSPL-1.0)", False),
        ("LicenseRef-Proprietary", False),
    ],
)
def test_of_alternatives_one_suffices_and_of_conditions_all_must(expression: str, *, allowed: bool) -> None:
    assert is_allowed(expression) is allowed


def test_a_licence_file_that_changed_must_be_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(licences._READ, "colorama", ("0" * 64, "BSD-3-Clause"))
    with pytest.raises(LicenceUnknown, match="read it"):
        licence_of("colorama")


def test_words_that_name_no_licence_are_not_guessed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(licences._READ, "httpx-aiohttp")
    with pytest.raises(LicenceUnknown, match="httpx-aiohttp says"):
        licence_of("httpx-aiohttp")
