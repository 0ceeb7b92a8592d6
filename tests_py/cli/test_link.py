"""`onevault link`: an authority that is made once, certificates for any number of hosts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from onevault.link_tls import Credentials
from tests_py.cli.conftest import Cli
from tests_py.cli.test_doctor import examine
from tests_py.support.certificates import Certificates


def content(place: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in place.glob("*.*")}


def test_init_makes_everything_and_a_second_one_nothing(cli: Cli) -> None:
    made = cli.json("link", "init", "--name", "gateway-1.internal", "--name", "10.0.0.5")
    place = cli.home / "link"
    assert (made["directory"], made["authority"]) == (str(place), "made")
    assert [(row["role"], row["names"]) for row in made["certificates"]] == [
        ("front", ["gateway-1.internal", "10.0.0.5"]),
        ("worker", ["gateway-1.internal", "10.0.0.5"]),
    ]
    assert {path.name: oct(path.stat().st_mode & 0o777) for path in place.glob("*.key")} == dict.fromkeys(
        ("ca.key", "front.key", "worker.key"), "0o600"
    )
    before = content(place)
    again = cli("link", "init", "--name", "gateway-2.internal", "--json")
    assert again.returncode == 0
    assert '"kept"' in again.stdout
    assert "gateway-2.internal: add a host with `onevault link issue`" in again.stderr
    assert content(place) == before


def test_a_further_host_has_the_same_authority_and_not_its_key(cli: Cli) -> None:
    cli.json("link", "init")
    authority = (cli.home / "link" / "ca.pem").read_bytes()
    issued = cli.json("link", "issue", "--name", "gateway-2.internal", "--days", "10")
    place = cli.home / "link" / "gateway-2.internal"
    assert issued["directory"] == str(place)
    assert set(content(place)) == {"ca.pem", "front.pem", "front.key", "worker.pem", "worker.key"}
    assert (place / "ca.pem").read_bytes() == authority
    for role in ("front", "worker"):
        Credentials(place, role).context()
    assert "exists: add --replace" in cli.refusal("link", "issue", "--name", "gateway-2.internal")
    before = content(place)
    cli.json("link", "issue", "--out", str(place), "--role", "front", "--replace")
    after = content(place)
    assert {name for name in before if before[name] != after[name]} == {"front.pem", "front.key"}
    rows = cli.json("link", "list")
    assert [(row["role"], row["names"], row["days_left"]) for row in rows[-2:]] == [
        ("front", ["gateway-2.internal"], 396),
        ("worker", ["gateway-2.internal"], 9),
    ]


def test_renewing_this_host_needs_no_names(cli: Cli) -> None:
    cli.json("link", "init", "--name", "gateway-1", "--days", "5")
    renewed = cli.json("link", "issue", "--replace")
    assert [row["names"] for row in renewed["certificates"]] == [["gateway-1"]] * 2
    assert {row["days_left"] for row in renewed["certificates"]} == {396}


@pytest.mark.parametrize("name", ["*.internal", "0.0.0.0", "a b", "host:7443"])
def test_names_that_are_none(cli: Cli, name: str) -> None:
    assert "is no host name or address" in cli.misuse("link", "init", "--name", name)


def test_what_is_missing_is_told(cli: Cli) -> None:
    assert "make an authority with `onevault link init`" in cli.refusal("link", "issue", "--name", "a")
    cli.json("link", "init")
    assert "name the host" in cli.misuse("link", "issue")
    (cli.home / "link" / "ca.key").unlink()
    assert "only one of ca.pem and ca.key" in cli.refusal("link", "init")


def test_the_doctor_says_when_certificates_expire(cli: Cli) -> None:
    def found() -> dict[str, dict[str, Any]]:
        return {name: row for name, row in examine(cli)[1].items() if name.startswith("link")}

    assert found() == {}
    cli.json("link", "init", "--days", "100")
    assert {name: row["is_ok"] for name, row in found().items()} == {
        "link ca": True,
        "link front": True,
        "link worker": True,
    }
    assert re.fullmatch(r"expires on \d{4}-\d\d-\d\d, in 99 days", found()["link front"]["finding"])
    cli.json("link", "issue", "--replace", "--days", "20")
    assert not found()["link front"]["is_ok"]
    assert "onevault link issue --replace" in found()["link front"]["remedy"]
    (cli.home / "link" / "worker.key").chmod(0o644)
    assert "chmod 600" in found()["link worker"]["finding"]


def test_the_doctor_sees_certificates_that_are_no_more_or_not_there(cli: Cli, tmp_path: Path) -> None:
    _, findings = examine(cli, ONEVAULT_LINK_LISTEN="127.0.0.1:0")
    assert findings["link front"]["finding"] == f"there is no certificate in {cli.home / 'link'}"
    good = Certificates(tmp_path / "good")
    expired = good.spoil(tmp_path / "expired", "front", expired=True)
    _, findings = examine(cli, ONEVAULT_LINK_TLS_DIR=str(expired))
    assert (findings["link front"]["is_ok"], findings["link front"]["finding"]) == (False, "has expired")
