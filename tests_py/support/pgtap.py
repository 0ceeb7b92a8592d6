"""pgTAP, which no package index of Python carries: plain SQL out of an npm or a Debian package.

Fetched once into .cache/, by whichever of the two clients is there, and taken only if its
checksum is one of those known here. Both releases load into PostgreSQL 18 as they are.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

CACHE = Path(__file__).resolve().parents[2] / ".cache"

_NPM_PACKAGE = "@electric-sql/pglite-pgtap@0.0.15"
_DEBIAN_PACKAGE = "postgresql-15-pgtap"
_CHECKSUMS = {
    "92ee8ada9672e6201105a78614be8d07b8a76e5c17c85b42c279f6e48c84da68": "pgTAP 1.3.5, npm",
    "203cc5839a143c567bd36ebfc93085fd124be46d0f990b5dba5399a51d6c75e9": "pgTAP 1.2.0, Debian 12",
}


class PgTapMissing(Exception):
    """pgTAP could be had from nowhere. The text says what was tried."""


def read_pgtap() -> str:
    """pgTAP's SQL, from the cache or fetched into it. Raises PgTapMissing."""
    cached = CACHE / "pgtap.sql"
    if cached.exists() and _is_known(cached):
        return cached.read_text(encoding="utf-8")
    tried = []
    for fetch in (_fetch_with_npm, _fetch_with_apt):
        with tempfile.TemporaryDirectory() as place:
            try:
                found = fetch(Path(place))
            except (OSError, subprocess.CalledProcessError, KeyError) as error:
                tried.append(f"{fetch.__name__}: {_why(error)}")
                continue
            if not _is_known(found):
                tried.append(f"{fetch.__name__}: a file of unknown checksum")
                continue
            CACHE.mkdir(exist_ok=True)
            part = cached.with_suffix(".part")
            shutil.copyfile(found, part)
            part.rename(cached)
            return cached.read_text(encoding="utf-8")
    raise PgTapMissing(
        f"pgTAP cannot be fetched ({'; '.join(tried)}): install npm, or put the pgtap.sql of "
        f"{' or '.join(_CHECKSUMS.values())} at {cached}"
    )


def _fetch_with_npm(place: Path) -> Path:
    _run(["npm", "pack", "--silent", _NPM_PACKAGE], place)
    (archive,) = place.glob("*.tgz")
    with tarfile.open(archive) as outer:
        outer.extract("package/dist/pgtap.tar.gz", place, filter="data")
    with tarfile.open(place / "package/dist/pgtap.tar.gz") as inner:
        inner.extract("share/postgresql/extension/pgtap.sql", place, filter="data")
    return place / "share/postgresql/extension/pgtap.sql"


def _fetch_with_apt(place: Path) -> Path:
    try:
        _run(["apt-get", "download", "-qq", _DEBIAN_PACKAGE], place)
    except subprocess.CalledProcessError:
        # A new machine has no lists yet.
        _run(["apt-get", "update", "-qq"], place)
        _run(["apt-get", "download", "-qq", _DEBIAN_PACKAGE], place)
    (archive,) = place.glob("*.deb")
    _run(["dpkg", "-x", str(archive), "unpacked"], place)
    return place / "unpacked/usr/share/postgresql/15/extension/pgtap.sql"


def _run(command: list[str], place: Path) -> None:
    subprocess.run(command, cwd=place, check=True, capture_output=True, text=True, timeout=300)


def _is_known(path: Path) -> bool:
    return hashlib.sha256(path.read_bytes()).hexdigest() in _CHECKSUMS


def _why(error: Exception) -> str:
    if isinstance(error, subprocess.CalledProcessError):
        return f"exit code {error.returncode}"
    return str(error)
