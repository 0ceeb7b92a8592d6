"""Settings of the embedded PostgreSQL: small for a laptop, with more memory for more data, quiet for the log.

An error there shows no statement, value or parameter. A DBA overrides any of them with ALTER SYSTEM, which PostgreSQL
reads last.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

PORT = 5432
_STEP: Final = 64 << 20
_CONTAINER_LIMIT: Final = Path("/sys/fs/cgroup/memory.max")

SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "random_page_cost": "1.1",
    "jit": "off",
    "io_method": "sync",
    "max_parallel_workers_per_gather": "0",
    "max_logical_replication_workers": "0",
    "autovacuum_naptime": "10s",
    "wal_buffers": "4MB",
    "min_wal_size": "64MB",
    "max_wal_size": "1GB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_statement": "none",
    "log_min_messages": "warning",
    "log_min_error_statement": "panic",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
    "log_autovacuum_min_duration": "-1",
    "log_line_prefix": "%m [%p] %u ",
}

if sys.platform == "linux":
    # After a crash one call for the whole file system instead of one for each of thousands of files.
    SERVER_SETTINGS["recovery_init_sync_method"] = "syncfs"


def shared_buffers(data: Path, memory: int) -> str:
    """The setting for the files below `data` on a machine of `memory` bytes: a quarter of what they hold, in steps of
    64 MB, and an eighth of the memory at most. A month that is read request after request then stays in it."""
    there = sum((Path(folder) / name).lstat().st_size for folder, _, names in os.walk(data) for name in names)
    steps = min(there // 4, memory // 8) // _STEP
    return f"{max(steps, 1) * _STEP >> 20}MB"


def memory_bytes() -> int:
    """What this machine has, or its container may take."""
    there = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    try:
        return min(there, int(_CONTAINER_LIMIT.read_text()))
    except (OSError, ValueError):  # no container, or one without a limit: "max"
        return there
