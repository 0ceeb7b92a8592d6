"""`python -m onevault` is the command `onevault`."""

from __future__ import annotations

from onevault.cli import main

if __name__ == "__main__":
    main()
