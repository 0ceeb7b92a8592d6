"""Giving memory back: what was freed among what is still used stays with the process unless the allocator is asked."""

from __future__ import annotations

import asyncio
import ctypes
from typing import Final

TRIM_SECONDS: Final = 30.0
"""How often. Bodies of all sizes leave some kilobytes a second in pieces; giving them back takes less than 1 ms."""


async def keep_trimmed() -> None:
    """Return free memory to the system again and again, where the C library can (glibc). Runs until it is cancelled."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    while trim is not None:
        await asyncio.sleep(TRIM_SECONDS)
        trim(0)
