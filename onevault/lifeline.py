"""How a child of `onevault up` lives and ends: asked by SIGTERM, or when its parent has died.

The supervisor holds the write end of a pipe and never writes; its end closes with the process,
kill -9 included, and each child, which watches the read end, drains and stops by itself.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from types import FrameType
from typing import Final

VARIABLE = "ONEVAULT_LIFELINE_FD"
STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def watch_lifeline() -> None:
    """Sends this process SIGTERM when the parent that started it is gone. No parent: no effect."""
    number = os.environ.pop(VARIABLE, None)
    if number is not None:
        descriptor = int(number)
        os.set_inheritable(descriptor, False)
        threading.Thread(target=_wait, args=(descriptor,), name="lifeline", daemon=True).start()


def leave_on_signals() -> None:
    """SIGTERM, SIGINT and SIGHUP end this process with exit code 0, through its `finally` blocks.

    For the time before and after a server of its own handles them.
    """
    for number in STOP_SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup leaves it
            signal.signal(number, _leave)


def ignore_signals() -> None:
    """This process is leaving: being asked again changes nothing. A handler of ours would not outlive the interpreter,
    and the signal would end it as if it had failed."""
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _leave(number: int, frame: FrameType | None) -> None:
    ignore_signals()
    sys.exit(0)


def _wait(descriptor: int) -> None:
    os.read(descriptor, 1)
    os.kill(os.getpid(), signal.SIGTERM)
