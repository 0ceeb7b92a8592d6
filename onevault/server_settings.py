"""Settings of the embedded PostgreSQL: small for a laptop, quiet for the log.

An error there shows no statement, value or parameter. A DBA overrides any of them with ALTER SYSTEM, which PostgreSQL
reads last.
"""

from __future__ import annotations

import sys

PORT = 5432

SERVER_SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "60",
    "shared_buffers": "64MB",
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
