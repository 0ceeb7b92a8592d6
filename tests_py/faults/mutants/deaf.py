"""A front that gives its workers no hint of new work."""

from __future__ import annotations

from litestar_app.link import Links
from onevault.cli import main


def _say_nothing(self: Links, count: int) -> None:
    """No wake frame."""


if __name__ == "__main__":
    Links.wake = _say_nothing  # type: ignore[method-assign]
    main()
