"""The ground floor that the front and the worker stand on."""

from __future__ import annotations

__version__ = "0.1.0"
