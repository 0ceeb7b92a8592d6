"""`make sbom` and `make audit`, as a person runs them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from supply.lock import DEVELOPMENT, ROOT, read_lock

pytestmark = [
    # make installs what the lock files have gained since.
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("make") is None or not (ROOT / ".venv" / ".ready-dev").exists(), reason="needs make and its .venv"
    ),
]


def make(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """make in the checkout, whose audit asks nobody but this machine."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        closed = listener.getsockname()[1]
    # Without what the make that may run this test tells those below it.
    own = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
    return subprocess.run(
        ["make", "--no-print-directory", *arguments],
        cwd=ROOT,
        env={**own, "ADVISORY_SERVICE": f"http://127.0.0.1:{closed}", **environ},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )


def test_sbom_is_written_where_it_says() -> None:
    result = make("sbom", SOURCE_DATE_EPOCH="1790000000")
    assert result.returncode == 0, result.stderr
    assert "dist/sbom.json" in result.stdout
    written = (ROOT / "dist" / "sbom.json").read_bytes()
    assert json.loads(written)["specVersion"] == "1.6"
    make("sbom", SOURCE_DATE_EPOCH="1790000000")
    assert (ROOT / "dist" / "sbom.json").read_bytes() == written


def test_audit_without_advisories_is_one_sentence_and_succeeds() -> None:
    result = make("audit")
    assert result.returncode == 0, result.stderr
    (sentence,) = result.stdout.splitlines()
    assert sentence.startswith("Audit skipped: ")


def test_audit_that_is_required_fails_without_advisories() -> None:
    result = make("audit", "AUDIT_REQUIRED=1")
    assert result.returncode != 0
    assert "Audit failed: " in result.stderr


def test_audit_reads_a_folder_and_fails_by_what_it_finds(tmp_path: Path) -> None:
    part = next(iter(read_lock(DEVELOPMENT).values()))
    affected = {"package": {"ecosystem": "PyPI", "name": part.name}, "versions": [part.version]}
    (tmp_path / "one.json").write_text(json.dumps({"id": "TEST-1", "summary": "It leaks", "affected": [affected]}))
    result = make("audit", f"ADVISORIES={tmp_path}")
    assert result.returncode != 0
    assert f"{part.name} {part.version}: TEST-1: It leaks" in result.stderr


def test_help_names_them() -> None:
    told = make("help").stdout
    assert all(f"make {name} " in told for name in ("sbom", "audit", "licences"))
