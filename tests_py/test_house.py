"""Rules of the house that no linter knows: what stands where, and what PL/pgSQL bodies may do."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pglast
import pytest
from pglast import visitors

from onevault.migrate import read_install
from onevault.settings import VARIABLES, load_settings

ROOT = Path(__file__).resolve().parents[1]
SQL = sorted((ROOT / "sql").rglob("*.sql"))
MIGRATIONS = sorted(p for p in (ROOT / "migrations").iterdir() if p.suffix in (".sql", ".py"))
PARSED = [p for p in (*SQL, *MIGRATIONS) if p.suffix == ".sql" and p.name != "install.sql"]
# A list of files, of rights, of rows.
NO_OBJECT = {"install.sql", "grants.sql", "seed.sql"}
PYTHON = sorted(p for name in ("litestar_app", "onevault", "worker") for p in (ROOT / name).rglob("*.py"))

SCHEMAS = r"(?:admin|auth|business_vault|gateway|ops|pgmq|util)"
# The generic loaders, the one place where SQL is built: from names of the catalog.
MAY_BUILD_SQL = {"util", "schedule", "ops"}


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", PARSED, ids=name_of)
def test_sql_parses_down_into_function_bodies(path: Path) -> None:
    for body in plpgsql_bodies(path.read_text()):
        for query in queries_of(body):
            pglast.parse_sql(query)


@pytest.mark.parametrize("path", PARSED, ids=name_of)
def test_bodies_name_the_schema_of_every_relation(path: Path) -> None:
    # With an empty search_path a name without a schema fails, but only when the line is reached.
    # A trigger's transition tables have none.
    transition = set(re.findall(r"referencing (?:new|old) table as (\w+)", path.read_text()))
    for body in plpgsql_bodies(path.read_text()):
        for query in queries_of(body):
            names = _Relations()
            names(pglast.parse_sql(query))
            bare = names.bare - names.local - transition
            assert not bare, f"no schema: {bare} in {query}"


@pytest.mark.parametrize("path", [p for p in SQL if p.name != "install.sql"], ids=name_of)
def test_sql_is_built_from_strings_in_the_loaders_only(path: Path) -> None:
    if path.parent.name not in MAY_BUILD_SQL:
        for body in plpgsql_bodies(path.read_text()):
            assert not list(nodes_of(body, "PLpgSQL_stmt_dynexecute")), "EXECUTE outside the loaders"


def test_install_names_every_file_once() -> None:
    pieces = [piece.path.resolve() for piece in read_install(ROOT / "sql" / "install.sql")]
    named = [path for path in pieces if path.name != "install.sql"]
    assert sorted(named) == [path for path in SQL if path.name != "install.sql"]


@pytest.mark.parametrize("path", [p for p in SQL if p.name not in NO_OBJECT], ids=name_of)
def test_a_file_is_named_after_what_it_makes(path: Path) -> None:
    made = re.findall(r"^create (?:or replace )?(?:function|procedure|view) (?:\w+\.)?(\w+)", path.read_text(), re.M)
    # One object, or a family of them: fn_find_tenant and fn_find_customer in fn_find.sql.
    family = "tg_" if path.stem.startswith("tg_") else "_".join(path.stem.split("_")[:2])
    assert any(name.startswith(family) for name in made), f"makes {made or 'nothing'}"


@pytest.mark.parametrize("path", [p for p in SQL if p.name != "install.sql"], ids=name_of)
def test_a_file_of_sql_fits_in_sight(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 150


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_a_module_fits_in_a_head(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 330


def test_migrations_are_numbered_without_a_gap() -> None:
    numbers = [int(path.name[:4]) for path in MIGRATIONS]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in MIGRATIONS:
        assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.(sql|py)", path.name), path.name


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_imports_go_one_way(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    forbidden = {"litestar_app": {"worker"}, "worker": {"litestar_app"}, "onevault": {"litestar_app", "worker"}}
    # The command line starts both.
    if package == "onevault" and "cli" in path.parts:
        return
    found = {name.split(".")[0] for name in imports_of(path)}
    assert not found & forbidden[package]


@pytest.mark.parametrize("path", PYTHON, ids=name_of)
def test_no_statement_is_put_together_from_strings(path: Path) -> None:
    statement = re.compile(r"^\s*(select|insert into|update|delete from|call|with)\s", re.I)
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.JoinedStr) and isinstance(first := node.values[0], ast.Constant):
            assert not statement.match(str(first.value)), f"line {node.lineno}: SQL in an f-string"


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_locks_are_hashed_and_name_no_host(name: str) -> None:
    text = (ROOT / name).read_text()
    assert "://" not in text
    pinned = re.split(r"\n(?=[a-z0-9])", text)
    for block in pinned:
        assert "==" in block.split("\n", 1)[0]
        assert "--hash=sha256:" in block


def test_runtime_and_test_locks_agree() -> None:
    runtime, dev = (
        set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.M))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert runtime <= dev


def test_every_setting_is_documented_with_its_default() -> None:
    stated = {variable.name: variable.default for variable in VARIABLES}
    home = load_settings({}, None).home
    named = {name: text.replace("<home>", str(home)) for name, text in stated.items()}
    assert load_settings({name: text for name, text in named.items() if text}, None) == load_settings({}, None)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def plpgsql_bodies(text: str) -> Iterator[dict[str, Any]]:
    """The syntax tree of each PL/pgSQL function and DO block in a file."""
    for statement in pglast.parse_sql(text):
        kind = type(statement.stmt).__name__
        start = statement.stmt_location or 0
        end = start + statement.stmt_len if statement.stmt_len else None
        source = text[start:end].strip()
        if kind == "DoStmt" or (kind == "CreateFunctionStmt" and re.search(r"\blanguage plpgsql\b", source)):
            yield from pglast.parse_plpgsql(plain_types(source))


def plain_types(source: str) -> str:
    """`source` with built-in types where it declares types of our schemas, which pglast cannot look up."""
    head, separator, body = source.partition("$$")
    head = re.sub(rf"(\breturns (?:setof )?){SCHEMAS}\.\w+", r"\1record", head)
    head = re.sub(rf"(\b(?:p|out)_?\w* (?:\w+ )?){SCHEMAS}\.\w+", r"\1jsonb", head)
    declared, begin, rest = re.split(r"^(\s*begin\b)", body, maxsplit=1, flags=re.M)
    declared = re.sub(rf"(\bv_\w+ (?:constant )?){SCHEMAS}\.\w+(%type)?", r"\1record", declared)
    declared = re.sub(r"\brecord\[\]", "jsonb[]", declared)
    return head + separator + declared + begin + rest


def nodes_of(tree: Any, kind: str) -> Iterator[dict[str, Any]]:
    """Every node of one kind in a tree of dicts and lists."""
    if isinstance(tree, dict):
        for name, value in tree.items():
            if name == kind:
                yield value
            yield from nodes_of(value, kind)
    elif isinstance(tree, list):
        for value in tree:
            yield from nodes_of(value, kind)


def queries_of(body: Any) -> Iterator[str]:
    """The SQL of a body, its expressions and assignments as the `select` they are."""
    for expression in nodes_of(body, "PLpgSQL_expr"):
        query = expression["query"]
        mode = expression.get("parseMode", 0)
        if mode == 0:
            yield query
        elif mode == 2:
            yield f"select {query}"
        elif mode >= 3:
            yield f"select {query.split(':=', 1)[-1] if ':=' in query else query.split('=', 1)[-1]}"


class _Relations(visitors.Visitor):
    """Names of relations without a schema, and names that a query defines for itself."""

    def __init__(self) -> None:
        super().__init__()
        self.bare: set[str] = set()
        self.local: set[str] = set()

    def visit_RangeVar(self, _: Any, node: Any) -> None:  # noqa: N802
        if node.schemaname is None:
            self.bare.add(node.relname)

    def visit_CommonTableExpr(self, _: Any, node: Any) -> None:  # noqa: N802
        self.local.add(node.ctename)


def test_the_checker_sees_into_bodies() -> None:
    source = (
        "create function gateway.f() returns ops.rule language plpgsql as $$\ndeclare\n v_a ops.rule;\nbegin\n"
        " perform 1 from customer_h as c;\n execute 'select 1';\n return v_a;\nend\n$$;"
    )
    (body,) = plpgsql_bodies(source)
    names = _Relations()
    for query in queries_of(body):
        names(pglast.parse_sql(query))
    assert names.bare == {"customer_h"}
    assert list(nodes_of(body, "PLpgSQL_stmt_dynexecute"))
    assert json.dumps(body)
