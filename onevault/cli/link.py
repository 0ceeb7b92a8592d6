"""`onevault link`: certificates for fronts and workers that stand on different machines."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from onevault.cli.output import json_option, print_json, print_rows
from onevault.errors import OperatorError
from onevault.link_address import check_name
from onevault.link_authority import (
    DAYS,
    ROLES,
    Facts,
    create_authority,
    find_certificates,
    issue_to,
    load_authority,
    read_facts,
)
from onevault.link_tls import AUTHORITY, Role, check_private
from onevault.settings import Settings, load_settings

_WARN_DAYS = 30
_HERE = ("localhost", "127.0.0.1", "::1")


class _HostName(click.ParamType[str]):
    name = "host"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return check_name(value)
        except ValueError:
            self.fail(f"{value!r} is no host name or address, such as gateway-1.internal or 10.0.0.5", param, ctx)


_DIRECTORY = click.Path(file_okay=False, path_type=Path)
_directory_option = click.option("--dir", "directory", type=_DIRECTORY, help="Directory (ONEVAULT_LINK_TLS_DIR).")
_name_option = click.option("--name", "names", type=_HostName(), multiple=True, help="Name or address of the host.")
_days_option = click.option(
    "--days", type=click.IntRange(1, 3650), default=DAYS, show_default=True, help="How long they hold."
)


@click.group("link")
def command() -> None:
    """Certificates for fronts and workers that stand on different machines."""


@command.command("init")
@_directory_option
@_name_option
@_days_option
@json_option
def init(directory: Path | None, names: tuple[str, ...], days: int, as_json: bool) -> None:
    """Make the private authority, and this host's certificates for front and worker. What is there stays."""
    place = _place(directory)
    made = create_authority(place)
    authority = load_authority(place)
    given = names or tuple(dict.fromkeys((*_HERE, *_own_name())))
    facts = []
    for role in ROLES:
        path = place / f"{role}.pem"
        facts.append(read_facts(path) if path.exists() else issue_to(authority, place, role, given, days=days))
    _tell(place, facts, as_json=as_json, authority="made" if made else "kept")
    missing = [name for name in names if any(name not in fact.names for fact in facts)]
    if missing:
        click.echo(
            f"kept the certificates that are there; they do not name {', '.join(missing)}: "
            "add a host with `onevault link issue`",
            err=True,
        )


@command.command("issue")
@_directory_option
@_name_option
@click.option("--role", type=click.Choice([*ROLES, "both"]), default="both", show_default=True, help="What for.")
@click.option("--out", type=_DIRECTORY, help="Where to put them. [default: a directory named as the host, in --dir]")
@click.option("--replace", is_flag=True, help="Renew what is there; without --name under the same names.")
@_days_option
@json_option
def issue(
    directory: Path | None,
    names: tuple[str, ...],
    role: str,
    out: Path | None,
    replace: bool,
    days: int,
    as_json: bool,
) -> None:
    """Make certificates for one more host, or renew those of a host with --replace."""
    place = _place(directory)
    authority = load_authority(place)
    if not names and not replace:
        raise click.UsageError("name the host: --name gateway-2.internal, also several times")
    target = (out or (place / re.sub(r"[^A-Za-z0-9.-]", "_", names[0]) if names else out or place)).absolute()
    chosen: tuple[Role, ...] = tuple(one for one in ROLES if role in (one, "both"))
    facts = []
    for one in chosen:
        given = names or tuple(read_facts(target / f"{one}.pem").names)
        facts.append(issue_to(authority, target, one, given, days=days, replace=replace))
    _tell(target, facts, as_json=as_json, authority="kept")


@command.command("list")
@_directory_option
@json_option
def list_certificates(directory: Path | None, as_json: bool) -> None:
    """Show the certificates, for whom they are and when they expire."""
    rows = [_row(facts) for facts in find_certificates(_place(directory))]
    print_rows(rows, as_json=as_json, empty="there are no certificates: make them with `onevault link init`")


def link_findings(settings: Settings) -> Iterator[dict[str, Any]]:
    """What the doctor says: nothing where no link over TCP is set up, else one line for each certificate."""
    place = settings.link_tls_dir
    roles = [role for role in ROLES if (place / f"{role}.pem").exists()]
    if settings.link_listen is not None and "front" not in roles:
        yield _finding("link front", is_ok=False, finding=f"there is no certificate in {place}")
    for name in (*((AUTHORITY,) if roles else ()), *roles):
        try:
            facts = read_facts(place / f"{name}.pem")
            if name != AUTHORITY:
                check_private(place / f"{name}.key")
        except OperatorError as error:
            yield _finding(f"link {name}", is_ok=False, finding=str(error))
            continue
        left = facts.days_left()
        yield _finding(
            f"link {name}",
            is_ok=left >= _WARN_DAYS,
            finding=f"expires on {facts.expires_at.date()}, in {left} days" if left >= 0 else "has expired",
        )


def _finding(name: str, *, is_ok: bool, finding: str) -> dict[str, Any]:
    remedy = "`onevault link issue --replace` where the authority's key is; copy the files; nothing need be restarted."
    return {"check_name": name, "is_ok": is_ok, "finding": finding, "remedy": remedy}


def _place(directory: Path | None) -> Path:
    return (directory or load_settings().link_tls_dir).absolute()


def _own_name() -> Iterator[str]:
    try:
        yield check_name(socket.gethostname())
    except ValueError:
        return


def _tell(place: Path, facts: list[Facts], *, as_json: bool, authority: str) -> None:
    if as_json:
        print_json({"directory": str(place), "authority": authority, "certificates": [_row(one) for one in facts]})
        return
    click.echo(f"authority {authority}; in {place}:")
    print_rows([_row(one) for one in facts], as_json=False)


def _row(facts: Facts) -> dict[str, Any]:
    return {
        "role": facts.role,
        "names": facts.names,
        "expires_at": facts.expires_at,
        "days_left": facts.days_left(),
        "path": str(facts.path),
    }
