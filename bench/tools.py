"""Programs from outside: on the PATH, or unpacked from Debian's packages, not installed."""

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from bench.errors import ToolError

CACHE: Final = Path(__file__).resolve().parent.parent / ".cache" / "bench"

_DOWNLOAD_SECONDS: Final = 120


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A program to run and what it needs in its environment besides."""

    path: Path
    environment: Mapping[str, str]


def find_tool(name: str, packages: Sequence[str], cache: Path = CACHE) -> Tool:
    """Find `name` on the PATH, or in Debian's `packages`, fetched and unpacked below `cache` once.

    Raises ToolError, which says what to install.
    """
    installed = shutil.which(name)
    if installed is not None:
        return Tool(path=Path(installed), environment={})
    root = cache / name
    if not (root / ".unpacked").exists():
        _unpack(name, packages, root)
    for folder in ("usr/bin", "usr/sbin"):
        program = root / folder / name
        if program.exists():
            libraries = {str(found.parent) for found in root.glob("usr/lib/**/*.so.*")}
            return Tool(path=program, environment={"LD_LIBRARY_PATH": ":".join(sorted(libraries))})
    raise ToolError(f"{name} is not in the packages {', '.join(packages)}: install it")


def _unpack(name: str, packages: Sequence[str], root: Path) -> None:
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ToolError(f"{name} is not installed: install it with this system's package manager")
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(parents=True)
    download = ["apt-get", "download", "--quiet", *packages]
    if _run(download, root).returncode != 0:
        # Without its package lists apt knows no package; only root may fetch them.
        _run(["apt-get", "update", "--quiet"], root)
        result = _run(download, root)
        if result.returncode != 0:
            raise ToolError(f"{name} is not installed and could not be fetched: {result.stderr}")
    for package in sorted(root.glob("*.deb")):
        subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
        package.unlink()
    (root / ".unpacked").touch()


def _run(command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=_DOWNLOAD_SECONDS)
