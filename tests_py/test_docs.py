"""Every command in README.md and docs/ is run, in the order in which a reader meets it, on a gateway of its own.

Fences say what a block is: `sh`, `python` and `sql` are run; `console` names commands of a checkout or of containers,
which other tests run or check; anything else is to be looked at.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from onevault.embedded import install_directory
from tests_py.conftest import StartGateway
from tests_py.support import dictionary_doc
from tests_py.support.cluster import ClonedDatabase
from tests_py.support.vault import load_fixtures

ROOT = Path(__file__).resolve().parents[1]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").glob("*.md"))]
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
_RUN = {"sh", "python", "sql"}


class Block(NamedTuple):
    """A fenced block: its language and its text."""

    language: str
    text: str


def read_blocks(page: str) -> list[Block]:
    """The fenced blocks of a page, in order."""
    return [Block(*found) for found in _FENCE.findall((ROOT / page).read_text())]


@pytest.mark.long
@pytest.mark.parametrize("page", [page for page in PAGES if any(b.language in _RUN for b in read_blocks(page))])
def test_commands_work(page: str, start_gateway: StartGateway, tmp_path: Path) -> None:
    gateway = start_gateway()
    environ = {
        **gateway.environ,
        "TOKEN": gateway.token,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{gateway.environ['PATH']}",
    }
    commands = {
        "sh": ["bash", "-euo", "pipefail", "-s"],
        "python": [sys.executable, "-"],
        "sql": ["onevault", "psql", "--", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", "-"],
    }
    for block in read_blocks(page):
        if block.language not in _RUN:
            continue
        text = block.text.replace("http://127.0.0.1:8000", gateway.url)
        result = subprocess.run(
            commands[block.language],
            input=text,
            env=environ,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert result.returncode == 0, f"{block.text}\n{result.stdout}\n{result.stderr}"
        assert result.stdout.strip() or block.language == "sql", f"nothing was said by:\n{block.text}"


def test_the_session_of_a_dba_goes_as_it_says(start_gateway: StartGateway) -> None:
    """With a DBA's rights: a rule, a call that follows it, a change that is refused, a draft, history, the undoing."""
    gateway = start_gateway()
    script = (ROOT / "docs" / "rulebook.sql").read_text()
    before, after = script.split("-- 3. ")
    environ = {**gateway.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{gateway.environ['PATH']}"}

    def psql(text: str) -> subprocess.CompletedProcess[str]:
        command = ["onevault", "psql", "--role", "dba", "--", "-X", "-q", "-A", "-t", "-f", "-"]
        return subprocess.run(command, input=text, env=environ, capture_output=True, text=True, timeout=60, check=True)

    made = psql(before)
    assert "sandbox|sandbox-small|t|summaries go small: " in made.stdout, made.stdout
    assert "ERROR" not in made.stderr, made.stderr
    answer = httpx.post(
        f"{gateway.url}/v1/ai/completions",
        headers={"authorization": f"Bearer {gateway.token}"},
        json={"prompt": "Hello", "type": "summary"},
        timeout=30,
    )
    assert answer.status_code == 200
    assert answer.headers["x-onevault-model"] == "sandbox-small"
    rest = psql("select set_config('onevault.change_reason', 'summaries need not be dear', false);\n-- 3. " + after)
    assert rest.stderr.count("ERROR") == 1, rest.stderr
    assert "'summaries are small': the rule 'summaries go small' is to decide, and 'default' does" in rest.stderr
    for said in (
        'summaries go small|{"request_type": "summary"}',
        "refused: The rule 'nothing goes' does not let this call through: Closed for the day.",
        "demo|1|",
        "routing_rule|summaries go small|",
        "50|postgres|summaries need not be dear|\n60|postgres|summaries need not be dear|\n50|",
    ):
        assert said in rest.stdout, (said, rest.stdout)
    left = "select count(*) from admin.routing_rule where rule_name like 'summaries%%'"
    assert gateway.database.query(left) == [(0,)]


def ask_finance(database: ClonedDatabase, month: str) -> list[str]:
    """The answers of docs/finance.sql, columns parted by `|`."""
    command = [str(install_directory() / "bin" / "psql"), "-XqAt", "-v", "ON_ERROR_STOP=1", "-v", f"month={month}"]
    asked = subprocess.run(
        [*command, "-f", str(ROOT / "docs" / "finance.sql"), "-d", database.dsn("dba")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (asked.returncode, asked.stderr) == (0, "")
    answers = re.split(r"^\d+\. .*$\n", asked.stdout, flags=re.MULTILINE)[1:]
    assert len(answers) == 10
    return answers


def test_what_finance_asks_is_answered(database: ClonedDatabase) -> None:
    """Ten questions, an answer to each, and books that balance."""
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a')")
    database.query("select test.make_customer('payer')")
    database.query(
        "insert into admin.tax_rate (tax, valid_from, tax_percent) values ('VAT', '2020-01-01', 19) returning 1"
    )
    database.query("insert into admin.billing_profile (customer, tax) values ('payer', 'VAT') returning 1")
    database.query("select test.booked('payer', '2026-01-15 10:00Z', 10.005, p_cost => 8)")
    database.query("select * from gateway.sp_close_month('2026-01-01')")
    database.query("select test.booked('payer', '2026-02-15 10:00Z', 3, p_cost => 2)")
    later = ask_finance(database, "2026-02-01")
    assert later[4] == "payer|10.0050000000|3.0000000000|-7.0050000000\n", "calls just made are in it"
    answers = ask_finance(database, "2026-01-01")
    assert all(answer.strip() for answer in answers), answers
    assert answers[0].startswith("test tenant|payer|OV-")
    assert "11.9000" in answers[0], "10.00 and 19 % of it"
    assert answers[3].startswith("maker|model-a|10.0050000000|8.0000000000|2.0050000000|20.04")
    assert answers[8].startswith("19.0000|")
    assert answers[9].startswith("0.0000000000|0.0000000000|11.9000000000|11.9"), answers[9]


def numbers(answer: str) -> dict[str, list[Decimal | None]]:
    """Rows of an answer by their first field that is a customer or a provider, or ``all``: what of them is numbers."""
    rows: dict[str, list[Decimal | None]] = {}
    for line in answer.strip().splitlines():
        cells = line.split("|")
        name = next((cell for cell in cells if re.fullmatch(r"[a-z]+", cell)), "all")
        rows[name] = [Decimal(cell) if cell else None for cell in cells if re.fullmatch(r"(-?\d+(\.\d+)?)?", cell)]
    return rows


def test_finance_hears_of_what_came_after_the_bill(database: ClonedDatabase) -> None:
    """Credit notes, void invoices, prices that were corrected, promotions and what plans include, by hand.

    Catches: a credit note that leaves its invoice overdue; earnings and providers' bills that know no correction;
    promotions that nobody gave; books that do not balance because a later invoice billed it.
    """
    load_fixtures(database)
    database.query("select test.make_offer('maker', 'model-a')")
    customers = ["corrected", "lowered", "noted", "planned", "promoted", "voided"]
    for customer in customers:
        database.query("select test.make_customer(%s)", customer)
        database.query("select test.booked(%s, '2026-01-15 10:00Z', 10, p_cost => 8)", customer)
    for statement in (
        "insert into admin.plan (plan, monthly_fee_usd, included_usage_usd) values ('all in', 30, 4)",
        "insert into admin.subscription (customer, plan, valid_from) values ('planned', 'all in', '2026-01-01')",
        """
            insert into admin.credit (customer, credit, credit_kind, amount_usd, valid_from)
            values ('promoted', 'hello', 'PROMOTION', 3, '2026-01-01')""",
    ):
        database.query(statement + " returning 1")
    database.query("select * from gateway.sp_close_month('2026-01-01')")
    numbered = "select i.invoice_number from business_vault.invoice as i where i.customer = %s and i.refers_to is null"
    invoice = {name: database.query(numbered, name)[0][0] for name in ("noted", "voided")}
    database.query("select admin.issue_credit_note(%s, 2, 'sorry')", invoice["noted"])
    database.query("select admin.void_invoice(%s, 'wrong name')", invoice["voided"])
    adjust = """
        insert into gateway.charge_adjustment_s (
            customer_hk, tenant_hk, api_request_hk, billing_period, old_provider_cost, new_provider_cost,
            delta_provider_cost, old_own_key_cost, new_own_key_cost, old_charge, new_charge, delta_charge, house_loss,
            attempt_costs, reason, rerate_run_id, record_source
        )
        select
            s.customer_hk, s.tenant_hk, s.api_request_hk, '2026-01-01', 8, 8 + %s, %s, 0, 0, 10, 10 + %s, %s, %s, '{}',
            'test', uuidv7(), 'test'
        from gateway.api_request_s as s
        where s.customer_hk = util.hash_key(%s)
        returning 1"""
    database.query(adjust, 2, 2, 0, 0, "2.5", "corrected")
    database.query(adjust, -4, -4, -5, -5, 0, "lowered")
    for customer in customers:
        database.query("select test.booked(%s, '2026-02-15 10:00Z', 10, p_cost => 8)", customer)
    database.query("select * from gateway.sp_close_month('2026-02-01')")

    january = [numbers(answer) for answer in ask_finance(database, "2026-01-01")]
    owed = {name: sum(n or 0 for n in row) for name, row in january[1].items()}
    assert owed == {"corrected": 20, "lowered": 15, "noted": 18, "planned": 72, "promoted": 17, "voided": 20}
    assert january[2] == {
        "corrected": [10, None, 10], "lowered": [5, None, 5], "noted": [10, None, 10], "planned": [6, 30, 36],
        "promoted": [10, None, 10], "voided": [10, None, 10],
    }  # fmt: skip
    assert january[3] == {"maker": [55, 46, 9, Decimal("16.36")]}
    assert january[4]["lowered"] == [None, 5, 5]
    assert january[5] == {"all": [55, 55]}
    assert january[6] == {"maker": [6, 90, 46]}
    assert january[7] == {"all": [3, 2, None, Decimal("2.5")]}
    assert january[9] == {"all": [0, 5, 71, 71]}, "what was void and what was lowered came onto the next invoice"
    february = [numbers(answer) for answer in ask_finance(database, "2026-02-01")]
    assert february[4]["lowered"] == [5, 10, 5]
    assert february[6] == {"maker": [6, 90, 48]}
    assert february[9] == {"all": [0, 0, 91, 91]}


def test_the_dictionary_is_what_the_comments_say(database: ClonedDatabase) -> None:
    with database.connect() as connection:
        assert dictionary_doc.PAGE.read_text() == dictionary_doc.render(connection), (
            "write it again: python -m tests_py.support.dictionary_doc"
        )


@pytest.mark.parametrize("page", [*PAGES, "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"])
def test_links_lead_somewhere(page: str) -> None:
    folder = (ROOT / page).parent
    broken = [link for link in _LINK.findall((ROOT / page).read_text()) if not (folder / link).exists()]
    assert not broken


def test_make_targets_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        named = re.findall(r"(?:^|`)make ([a-z-]+)", (ROOT / page).read_text(), re.MULTILINE)
        assert set(named) <= targets, page


def test_every_block_says_what_it_is() -> None:
    for page in PAGES:
        assert all(block.language for block in read_blocks(page)), page
