"""`make audit`: whether an advisory speaks of what the lock files name.

Advisories come from a folder or zip of OSV files (`ADVISORIES`), else from the service at
`ADVISORY_SERVICE`. Where neither can be had the check is skipped with a sentence, unless `AUDIT_REQUIRED=1`.
A few lines of our own and no scanner: a scanner with forty dependencies is itself a way in.

    ServiceAway     the service cannot be reached; says why
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import msgspec

from supply.advisories import AdvisoriesUnreadable, Advisory, read_advisories
from supply.lock import Locked

SERVICE: Final = "https://api.osv.dev"
_SECONDS: Final = 10.0
_PAGES: Final = 20


class ServiceAway(Exception):
    """The advisories' service gives no answer. The text says why."""


class Finding(NamedTuple):
    """An advisory that speaks of a locked version."""

    part: Locked
    advisory: Advisory

    def __str__(self) -> str:
        names = ", ".join([self.advisory.id, *self.advisory.aliases])
        fixed = self.advisory.fixed_in(self.part.name)
        remedy = f"mended in {', '.join(fixed)}" if fixed else "no mended version is named"
        return f"{self.part.name} {self.part.version}: {names}: {self.advisory.title} ({remedy})"


class Audit(NamedTuple):
    """The outcome: what to tell, and the exit code."""

    lines: list[str]
    code: int


def audit(lock: Mapping[str, Locked], environ: Mapping[str, str] = os.environ) -> Audit:
    """Look for advisories about every distribution of a lock, whichever system it is for."""
    place = environ.get("ADVISORIES")
    service = environ.get("ADVISORY_SERVICE") or SERVICE
    try:
        found = list(_from_files(Path(place), lock) if place else _from_service(service, lock))
    except AdvisoriesUnreadable as error:
        return Audit([f"Audit failed: {error}"], 2)
    except ServiceAway as error:
        remedy = "name a folder or zip of OSV files in ADVISORIES"
        if environ.get("AUDIT_REQUIRED") == "1":
            return Audit([f"Audit failed: {service} gives no answer ({error}) and AUDIT_REQUIRED is set; {remedy}."], 2)
        return Audit([f"Audit skipped: {service} gives no answer ({error}); {remedy}."], 0)
    if found:
        return Audit([*map(str, found), f"{len(found)} advisories speak of what is locked."], 1)
    return Audit([f"No advisory speaks of the {len(lock)} locked distributions ({place or service})."], 0)


def _from_files(place: Path, lock: Mapping[str, Locked]) -> Iterator[Finding]:
    advisories = list(read_advisories(place))
    if not advisories:
        # An empty folder is a mistake and no clean bill.
        raise AdvisoriesUnreadable(f"{place} holds no advisory: name a folder of OSV JSON files or their zip.")
    for part in lock.values():
        yield from (Finding(part, a) for a in advisories if a.affects(part.name, part.version))


class _Named(msgspec.Struct):
    id: str


class _Result(msgspec.Struct):
    vulns: list[_Named] = []
    next_page_token: str | None = None


class _Results(msgspec.Struct):
    results: list[_Result]


def _from_service(service: str, lock: Mapping[str, Locked]) -> Iterator[Finding]:
    try:
        with httpx.Client(base_url=service, timeout=_SECONDS, follow_redirects=False) as client:
            waiting: list[tuple[Locked, str | None]] = [(part, None) for part in lock.values()]
            for _ in range(_PAGES):
                results = _ask(client, waiting)
                for (part, _), result in zip(waiting, results, strict=True):
                    yield from (Finding(part, _read(client, named.id)) for named in result.vulns)
                pairs = zip(waiting, results, strict=True)
                waiting = [(part, result.next_page_token) for (part, _), result in pairs if result.next_page_token]
                if not waiting:
                    return
        raise ServiceAway("its answer does not end")
    except (httpx.HTTPError, msgspec.MsgspecError, ValueError) as error:
        raise ServiceAway(type(error).__name__) from error


def _ask(client: httpx.Client, waiting: list[tuple[Locked, str | None]]) -> list[_Result]:
    queries = [
        {
            "package": {"ecosystem": "PyPI", "name": part.name},
            "version": part.version,
            **({"page_token": token} if token else {}),
        }
        for part, token in waiting
    ]
    response = client.post("/v1/querybatch", json={"queries": queries}).raise_for_status()
    return msgspec.json.decode(response.content, type=_Results).results


def _read(client: httpx.Client, name: str) -> Advisory:
    response = client.get(f"/v1/vulns/{name}").raise_for_status()
    return msgspec.json.decode(response.content, type=Advisory)
