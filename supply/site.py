"""What lies in site-packages: nothing that a lock does not name, nothing that runs before anybody imports it.

A `.pth` line and a `sitecustomize` run whenever an interpreter starts; thieves came that way. So only the two that
are known may be there, whether or not a distribution claims them. Every file must stand in a distribution's RECORD
with the content it has there. Trusted: the RECORDs, which came with a hashed wheel, and compiled `__pycache__` beside
a recorded source.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import sysconfig
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name

from supply.lock import PROJECT, ROOT, Locked

KNOWN_PTH = {"_editable_impl_onevault_gateway.pth", "distutils-precedence.pth"}
# What `python -m venv` itself puts there; pip is how the lock is installed.
FROM_VENV = {"pip", "setuptools"}
_AT_START = ("sitecustomize", "usercustomize")


def site_directory() -> Path:
    """The site-packages of the interpreter that runs this."""
    return Path(sysconfig.get_path("purelib"))


def check_distributions(site: Path, lock: Mapping[str, Locked]) -> Iterator[str]:
    """A sentence for each distribution that is not as locked: missing, another version, or in no lock."""
    installed = {canonicalize_name(d.name): d.version for d in distributions(path=[str(site)])}
    for name, version in sorted(installed.items()):
        if name in FROM_VENV or name == PROJECT:
            continue
        wanted = lock.get(name)
        if wanted is None:
            yield f"{name} {version} is installed and in no lock."
        elif wanted.version != version:
            yield f"{name} {version} is installed, the lock says {wanted.version}."
    for wanted in lock.values():
        if wanted.here and wanted.name not in installed:
            yield f"{wanted.name} {wanted.version} is locked and not installed."


def check_files(site: Path) -> Iterator[str]:
    """A sentence for each file that nobody installed, that has changed, or that runs when an interpreter starts."""
    recorded: dict[Path, str] = {}
    for distribution in distributions(path=[str(site)]):
        recorded.update(_read_record(site, distribution))
    for path in sorted(site.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            continue
        name = path.relative_to(site)
        if path.suffix == ".pth" and path.parent == site and path.name not in KNOWN_PTH:
            yield f"{name} runs whenever Python starts, and is not one of the known ones."
        elif name.parts[0].split(".")[0] in _AT_START:
            yield f"{name} runs whenever Python starts."
        elif path not in recorded:
            if not _is_cache_of(path, recorded):
                yield f"{name} belongs to no installed distribution."
        elif recorded[path] and recorded[path] != _digest(path):
            yield f"{name} is not what was installed."
    yield from _check_editable(site)
    yield from _check_configuration(site)


def _read_record(site: Path, distribution: Distribution) -> Iterator[tuple[Path, str]]:
    for row in csv.reader((distribution.read_text("RECORD") or "").splitlines()):
        yield (site / row[0]), row[1].removeprefix("sha256=")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _is_cache_of(path: Path, recorded: Mapping[Path, str]) -> bool:
    if path.suffix != ".pyc" or path.parent.name != "__pycache__":
        return False
    return path.parent.parent / f"{path.name.split('.')[0]}.py" in recorded


def _check_editable(site: Path) -> Iterator[str]:
    """The project's own .pth names the checkout and nothing else."""
    path = site / "_editable_impl_onevault_gateway.pth"
    if path.exists() and set(path.read_text().splitlines()) != {str(ROOT)}:
        yield f"{path.name} says more than where the checkout is."


def _check_configuration(site: Path) -> Iterator[str]:
    """The environment looks into no other site-packages."""
    for parent in site.parents:
        if (configuration := parent / "pyvenv.cfg").exists():
            if "include-system-site-packages = false" not in configuration.read_text():
                yield "The environment also takes what the system has installed."
            return
