"""What a process holds in memory stays there: no core file is left, no other process of its user looks into it."""

from __future__ import annotations

import resource
import sys
from typing import Final

_PR_SET_DUMPABLE: Final = 4


def keep_memory_private() -> None:
    """Turns core dumps of this process off, for good; processes that it starts may not write any either.

    On Linux it is also marked as not dumpable: the kernel then gives its memory, environment and open files in /proc to
    root alone, and a debugger of the same user cannot attach. A program that is started by it is not marked.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
