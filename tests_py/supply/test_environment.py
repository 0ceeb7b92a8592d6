"""What is installed is what is locked, and nothing runs before anybody imports it."""

from __future__ import annotations

import base64
import hashlib
import shutil
from pathlib import Path

import pytest

from supply.lock import DEVELOPMENT, Locked, read_lock
from supply.site import check_distributions, check_files, site_directory

SOURCE = b"VALUE = 1\n"
LOCK = {"part": Locked("part", "1.0", (), here=True)}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site-packages with one distribution, as pip leaves it, and the real environment's two known .pth files."""
    site = tmp_path / "site-packages"
    site.mkdir()
    install(site, "part", {"part/__init__.py": SOURCE, "part/data.bin": b"\x00"})
    (site / "part" / "__pycache__").mkdir()
    (site / "part" / "__pycache__" / "__init__.cpython-311.pyc").write_bytes(b"compiled")
    return site


def install(site: Path, name: str, files: dict[str, bytes], version: str = "1.0") -> None:
    """Lay a distribution down with a RECORD that is true."""
    info = f"{name}-{version}.dist-info"
    files = {**files, f"{info}/METADATA": f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n".encode()}
    rows = [f"{info}/RECORD,,"]
    for path, content in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(content)
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        rows.append(f"{path},sha256={digest},{len(content)}")
    (site / info / "RECORD").write_text("\n".join(rows))


def test_this_environment_holds_what_is_locked_and_nothing_else() -> None:
    assert list(check_distributions(site_directory(), read_lock(DEVELOPMENT))) == []


def test_this_environment_holds_no_file_that_nobody_installed() -> None:
    assert list(check_files(site_directory())) == []


def test_an_honest_site_passes(site: Path) -> None:
    assert list(check_files(site)) == []
    assert list(check_distributions(site, LOCK)) == []


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("evil.pth", "runs whenever Python starts"),
        ("sitecustomize.py", "runs whenever Python starts"),
        ("sitecustomize.cpython-311-x86_64-linux-gnu.so", "runs whenever Python starts"),
        ("sitecustomize/__init__.py", "runs whenever Python starts"),
        ("usercustomize.pyc", "runs whenever Python starts"),
        ("loose.py", "belongs to no installed distribution"),
        ("loose.pyc", "belongs to no installed distribution"),
        ("__pycache__/loose.cpython-311.pyc", "belongs to no installed distribution"),
        ("part/extra.py", "belongs to no installed distribution"),
        ("part/__pycache__/hidden.py", "belongs to no installed distribution"),
    ],
)
def test_a_planted_file_is_found(site: Path, name: str, says: str) -> None:
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_text("import os\n")
    (sentence,) = check_files(site)
    assert sentence.startswith(name)
    assert says in sentence


@pytest.mark.parametrize("name", ["evil.pth", "sitecustomize.py", "usercustomize.py"])
def test_what_runs_at_start_is_found_though_a_distribution_claims_it(site: Path, name: str) -> None:
    install(site, "thief", {name: b"import os\n"})
    (sentence,) = check_files(site)
    assert "runs whenever Python starts" in sentence


def test_a_file_that_was_changed_is_found(site: Path) -> None:
    (site / "part" / "__init__.py").write_bytes(SOURCE + b"import os\n")
    assert list(check_files(site)) == ["part/__init__.py is not what was installed."]


def test_the_projects_own_pth_may_name_the_checkout_only(site: Path) -> None:
    name = "_editable_impl_onevault_gateway.pth"
    install(site, "onevault_gateway", {name: (site_directory() / name).read_bytes()})
    assert list(check_files(site)) == []
    install(site, "onevault_gateway", {name: (site_directory() / name).read_bytes() + b"\nimport os; os.getpid()\n"})
    assert list(check_files(site)) == [f"{name} says more than where the checkout is."]


def test_an_environment_open_to_the_systems_packages_is_found(site: Path) -> None:
    configuration = site.parent / "pyvenv.cfg"
    configuration.write_text("include-system-site-packages = true\n")
    (sentence,) = check_files(site)
    assert "the system" in sentence


def test_a_distribution_that_no_lock_names_is_found(site: Path) -> None:
    install(site, "stranger", {"stranger.py": SOURCE})
    assert list(check_distributions(site, LOCK)) == ["stranger 1.0 is installed and in no lock."]


def test_another_version_than_the_locked_one_is_found(site: Path) -> None:
    shutil.rmtree(site / "part-1.0.dist-info")
    install(site, "part", {"part/__init__.py": SOURCE}, "1.1")
    assert list(check_distributions(site, LOCK)) == ["part 1.1 is installed, the lock says 1.0."]


def test_what_is_locked_and_missing_is_found_where_it_belongs(site: Path) -> None:
    lock = {
        **LOCK,
        "gone": Locked("gone", "2.0", (), here=True),
        "elsewhere": Locked("elsewhere", "2.0", (), here=False),
    }
    assert list(check_distributions(site, lock)) == ["gone 2.0 is locked and not installed."]
