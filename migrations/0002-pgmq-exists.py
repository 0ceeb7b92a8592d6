"""pgmq 1.13 as plain SQL from its PyPI package. It installs once, so it is a versioned step and no repeatable one."""

from typing import Any

from pgmq.install import get_embedded_install_sql
from yoyo import step

__depends__ = {"0001-roles-exist"}


def install(connection: Any) -> None:
    """Install pgmq's schema as the owner of the house."""
    with connection.cursor() as cursor:
        cursor.execute("set local role onevault_owner")
        cursor.execute(get_embedded_install_sql())


steps = [step(install)]
