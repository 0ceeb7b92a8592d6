"""docs/dictionary.md, written from the comments of `business_vault`: `python -m tests_py.support.dictionary_doc`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

import psycopg

from tests_py.support.cluster import Cluster
from tests_py.support.template import promise_template

PAGE = Path(__file__).resolve().parents[2] / "docs" / "dictionary.md"

_HEAD = """# Dictionary

Every view of `business_vault` with its columns, as the database's own comments have it. Amounts in `_usd` are exact;
those in `_amount` are in the currency of their row.
"""
_VIEWS = """
select c.relname, obj_description(c.oid)
from pg_catalog.pg_class as c
where c.relnamespace = 'business_vault'::regnamespace and c.relkind = 'v'
order by c.relname
"""
_COLUMNS = """
select a.attname, pg_catalog.format_type(a.atttypid, null), col_description(a.attrelid, a.attnum)
from pg_catalog.pg_attribute as a
where a.attrelid = format('business_vault.%%I', %s::text)::regclass and a.attnum > 0 and not a.attisdropped
order by a.attnum
"""


def render(connection: psycopg.Connection[Any]) -> str:
    """The page."""
    parts = [_HEAD]
    for view, what in connection.execute(_VIEWS).fetchall():
        parts.append(f"\n## {view}\n\n{_line(what)}\n\n| column | type | what |\n|---|---|---|\n")
        parts += [
            f"| `{name}` | {kind} | {_line(comment)} |\n"
            for name, kind, comment in connection.execute(_COLUMNS, (view,)).fetchall()
        ]
    return "".join(parts)


def _line(comment: str) -> str:
    return " ".join(comment.split()).replace("|", "\\|")


def main() -> None:
    """Writes the page from a server of its own."""
    template = promise_template(os.environ)
    cluster = Cluster()
    try:
        with cluster.clone().connect() as connection:
            PAGE.write_text(render(connection), encoding="utf-8")
    finally:
        cluster.close()
        shutil.rmtree(template, ignore_errors=True)


if __name__ == "__main__":
    main()
