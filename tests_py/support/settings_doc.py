"""docs/settings.md, written from the list in onevault/settings.py: `python -m tests_py.support.settings_doc`."""

from __future__ import annotations

from pathlib import Path

from onevault.settings import VARIABLES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "settings.md"

_HEAD = """# Settings

Read once at start from the environment and from a `.env` file in the current directory; the environment wins, and an
empty variable counts as not set. A value that cannot be used stops the start with one sentence that names it.
`onevault up --host --port` win over both.

| variable | default | what it is |
|---|---|---|
"""

_TAIL = """
With none of the three database URLs set the gateway runs its own PostgreSQL in the data directory. Without a URL of
its own a service uses `DATABASE_URL` and acts as its role from the first statement on.

Two gateways run side by side from one checkout when each has its own `ONEVAULT_HOME` and port.
"""


def render() -> str:
    """The page."""
    lines = [f"| `{v.name}` | {f'`{v.default}`' if v.default else ''} | {v.meaning} |" for v in VARIABLES]
    return _HEAD + "\n".join(lines) + "\n" + _TAIL


if __name__ == "__main__":
    PAGE.write_text(render(), encoding="utf-8")
