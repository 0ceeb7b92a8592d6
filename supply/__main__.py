"""`python -m supply audit|check|licences|sbom`: the commands behind `make`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import chain

from supply.lock import DEVELOPMENT, ROOT, read_lock


def check() -> int:
    """Say what is in the environment and should not be."""
    from supply.site import check_distributions, check_files, site_directory

    site = site_directory()
    found = list(chain(check_distributions(site, read_lock(DEVELOPMENT)), check_files(site)))
    for sentence in found:
        print(sentence, file=sys.stderr)
    if found:
        print("Build the environment anew: make clean, then make test.", file=sys.stderr)
    return 1 if found else 0


def audit() -> int:
    """Say which advisories speak of what is locked."""
    from supply.audit import audit as run

    lines, code = run(read_lock(DEVELOPMENT))
    print("\n".join(lines), file=sys.stderr if code else sys.stdout)
    return code


def licences() -> int:
    """Write docs/licences.md."""
    from supply.licences import PAGE, render_page

    page = ROOT / PAGE
    page.write_text(render_page(page.read_text() if page.exists() else ""))
    return 0


def sbom() -> int:
    """Write dist/sbom.json."""
    from supply.sbom import write_sbom

    target = ROOT / "dist" / "sbom.json"
    text = write_sbom()
    target.parent.mkdir(exist_ok=True)
    target.write_text(text)
    print(f"wrote {target.relative_to(ROOT)}")
    return 0


COMMANDS: dict[str, Callable[[], int]] = {"audit": audit, "check": check, "licences": licences, "sbom": sbom}

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"name one of: {', '.join(COMMANDS)}")
    sys.exit(COMMANDS[sys.argv[1]]())
