"""Advisories in the OSV format (https://ossf.github.io/osv-schema), and whether one speaks of a version.

AdvisoriesUnreadable     the folder or archive is not what it should be; says which file and what to do
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_BEGINNING: Final = Version("0.dev0")


class AdvisoriesUnreadable(Exception):
    """The advisories cannot be read. The text says which and what to do."""


class Package(msgspec.Struct):
    """Whom an advisory speaks of."""

    name: str = ""
    ecosystem: str = ""


class Event(msgspec.Struct):
    """A border of a range; one of the three is given."""

    introduced: str | None = None
    fixed: str | None = None
    last_affected: str | None = None


class Range(msgspec.Struct):
    """Versions between events."""

    type: str = ""
    events: list[Event] = []


class Affected(msgspec.Struct):
    """A package with the versions that have the fault: listed, in ranges, or both."""

    package: Package = msgspec.field(default_factory=Package)
    versions: list[str] = []
    ranges: list[Range] = []


class Advisory(msgspec.Struct):
    """One advisory, as far as it is read here."""

    id: str
    summary: str = ""
    details: str = ""
    withdrawn: str | None = None
    aliases: list[str] = []
    affected: list[Affected] = []

    @property
    def title(self) -> str:
        """One line that says what it is about."""
        return (self.summary or self.details.strip().partition("\n")[0] or "no summary")[:200]

    def affects(self, name: str, version: str) -> bool:
        """Whether this version of a package (its normalised name on PyPI) has the fault."""
        if self.withdrawn is not None:
            return False
        return any(_affects(affected, Version(version)) for affected in self.affected if _names(affected, name))

    def fixed_in(self, name: str) -> list[str]:
        """The versions that have the fault no more."""
        events = [e for a in self.affected if _names(a, name) for r in a.ranges if _is_of_versions(r) for e in r.events]
        return sorted({event.fixed for event in events if event.fixed is not None}, key=_parse)


def read_advisories(place: Path) -> Iterator[Advisory]:
    """Every advisory of a folder of JSON files, or of the zip they are published as. Raises AdvisoriesUnreadable."""
    try:
        if place.is_dir():
            found = ((str(path), path.read_bytes()) for path in sorted(place.rglob("*.json")))
            yield from map(_decode, found)
        else:
            with zipfile.ZipFile(place) as archive:
                for name in sorted(archive.namelist()):
                    if name.endswith(".json"):
                        yield _decode((name, archive.read(name)))
    except (OSError, zipfile.BadZipFile) as error:
        raise AdvisoriesUnreadable(
            f"{place} cannot be read ({error}): name a folder of OSV JSON files or their zip."
        ) from error


def _decode(file: tuple[str, bytes]) -> Advisory:
    name, data = file
    try:
        return msgspec.json.decode(data, type=Advisory)
    except msgspec.MsgspecError as error:
        raise AdvisoriesUnreadable(f"{name} is no OSV advisory ({error}): fetch the advisories again.") from error


def _names(affected: Affected, name: str) -> bool:
    return affected.package.ecosystem == "PyPI" and canonicalize_name(affected.package.name) == name


def _is_of_versions(r: Range) -> bool:
    return r.type == "ECOSYSTEM"


def _affects(affected: Affected, version: Version) -> bool:
    if any(_parse(listed) == version for listed in affected.versions):
        return True
    return any(_lies_in(r, version) for r in affected.ranges if _is_of_versions(r))


def _lies_in(r: Range, version: Version) -> bool:
    """OSV's own algorithm: the last event at or before the version decides."""
    inside = False
    events = [(_parse(text), kind) for event in r.events for kind, text in _kinds(event)]
    for border, kind in sorted(events, key=lambda event: (event[0], event[1] != "introduced")):
        if kind == "last_affected":
            inside = inside and version <= border
        elif version >= border:
            inside = kind == "introduced"
    return inside


def _kinds(event: Event) -> Iterator[tuple[str, str]]:
    for kind in ("introduced", "fixed", "last_affected"):
        if (text := getattr(event, kind)) is not None:
            yield kind, text


def _parse(text: str) -> Version:
    """A version. "0" means the beginning, and so does what cannot be read: in doubt an introduced border holds."""
    try:
        return Version(text) if text != "0" else _BEGINNING
    except InvalidVersion:
        return _BEGINNING
