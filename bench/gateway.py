"""A gateway of the benchmark's own: one front, one worker, a data directory that goes away.

Everything is done with the `onevault` command, as a person would, but for the customers: there may be a thousand.
"""

import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import psutil
import psycopg

from bench.errors import GatewayError
from bench.postgres import Watch
from bench.processes import Group
from bench.provider import MODEL, Provider
from onevault.database import open_database
from onevault.envelope import load_keyring
from onevault.issuing import issue
from onevault.settings import load_settings

ONEVAULT: Final = Path(sys.executable).with_name("onevault")
PROVIDER: Final = "bench"

_START_SECONDS: Final = 60
_STOP_SECONDS: Final = 45
# Neither limit nor budget is what is measured here.
_MAKE_CUSTOMERS: Final = """
insert into admin.customer (
    customer, priority_tier, rate_limit_requests_per_minute, cost_budget_daily, cost_budget_monthly
)
select unnest(%s::text[]), 'PREMIUM', 6000000, 1000000, 1000000
"""


class Gateway(msgspec.Struct, frozen=True, kw_only=True):
    """A gateway that answers, and the processes it is made of."""

    address: str
    tokens: tuple[str, ...]
    groups: tuple[Group, ...]
    watch: Watch
    second_start_seconds: float
    home: Path

    def url(self, path: str) -> str:
        """The address of a route."""
        return f"{self.address}{path}"


class _Ready(msgspec.Struct):
    url: str


@contextmanager
def running_gateway(
    provider: Provider, *, customers: int, tcp_link: bool = False, data: Path | None = None
) -> Iterator[Gateway]:
    """Start a gateway in front of `provider`, twice (the second start is timed); stop it.

    With `tcp_link` front and worker are linked by TCP with TLS, as between machines. With `data` its data directory is
    that one, which stays, with what was booked.
    Raises GatewayError with the end of its log.
    """
    home = Path(tempfile.mkdtemp(prefix="onevault-bench-"))
    # As root, PostgreSQL runs as a system user of its own, which must be able to reach its data.
    home.chmod(0o755)
    process = None
    try:
        if data is not None:
            (home / "data").symlink_to(data.resolve())
        if tcp_link:
            (home / ".env").write_text("ONEVAULT_LINK_LISTEN=127.0.0.1:0\n")
            _onevault(home, "link", "init")
        process, _, _ = _start(home)
        tokens = _set_up(home, provider, customers)
        watch = Watch(_onevault(home, "dsn").strip())
        watch.prepare()
        watch.close()
        _stop(home, process)
        process, url, seconds = _start(home)
        watch = Watch(_onevault(home, "dsn").strip())
        try:
            yield Gateway(
                address=url,
                tokens=tokens,
                groups=_find_groups(home, process.pid),
                watch=watch,
                second_start_seconds=seconds,
                home=home,
            )
        finally:
            watch.close()
        _stop(home, process)
    finally:
        _leave_nothing(home, process)
        shutil.rmtree(home, ignore_errors=True)


def _environment(home: Path) -> dict[str, str]:
    """The caller's environment without what would change the gateway, or make it call the world."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("ONEVAULT_") and not name.endswith("_API_KEY")
    }
    kept.pop("DATABASE_URL", None)
    return {**kept, "ONEVAULT_HOME": str(home / "data")}


def _onevault(home: Path, *arguments: str, stdin: str = "") -> str:
    result = subprocess.run(
        [str(ONEVAULT), *arguments],
        cwd=home,
        env=_environment(home),
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=_START_SECONDS,
    )
    if result.returncode != 0:
        raise GatewayError(f"onevault {' '.join(arguments)}: {result.stderr.strip()}")
    return result.stdout


def _set_up(home: Path, provider: Provider, customers: int) -> tuple[str, ...]:
    """Create the provider, its model and the customers; return the customers' tokens."""
    set_provider: Sequence[str] = ("--kind", "openai", "--endpoint", provider.endpoint)
    _onevault(home, "provider", "set", PROVIDER, *set_provider, "--api-key-stdin", stdin="sk-bench")
    prices = ("--input", "0.15", "--output", "0.60", "--context", "128000", "--max-output", "16384")
    _onevault(home, "model", "set", PROVIDER, MODEL, "--capability", "chat", *prices)
    settings = load_settings(_environment(home), None)
    database = open_database(settings)
    try:
        with psycopg.connect(database.dsn("owner")) as connection:
            run = secrets.token_hex(3)
            names = [f"bench-{run}-{number}" for number in range(1, customers + 1)]
            connection.execute(_MAKE_CUSTOMERS, (names,))
            keyring = load_keyring(settings)
            return tuple(issue(connection, keyring, name, {}).token.reveal() for name in names)
    finally:
        database.close()


def _start(home: Path) -> tuple[subprocess.Popen[bytes], str, float]:
    """Run `onevault up`; returns its process, its URL and the seconds until it said that it is ready."""
    said = home / "up.json"
    begun = time.monotonic()
    with said.open("wb") as output, (home / "up.log").open("ab") as log:
        process = subprocess.Popen(
            [str(ONEVAULT), "up", "--host", "127.0.0.1", "--port", "0", "--fronts", "1", "--workers", "1", "--json"],
            cwd=home,
            env=_environment(home),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,
        )
    while time.monotonic() - begun < _START_SECONDS and process.poll() is None:
        try:
            ready = msgspec.json.decode(said.read_bytes(), type=_Ready)
        except msgspec.DecodeError:
            time.sleep(0.01)
        else:
            return process, ready.url, time.monotonic() - begun
    _leave_nothing(home, process)
    raise GatewayError(f"the gateway did not become ready:\n{_end_of_log(home)}")


def _stop(home: Path, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)
    try:
        code = process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        raise GatewayError(f"the gateway did not stop:\n{_end_of_log(home)}") from None
    if code != 0:
        raise GatewayError(f"the gateway stopped with exit code {code}:\n{_end_of_log(home)}")


def _find_groups(home: Path, supervisor: int) -> tuple[Group, ...]:
    """Sort the processes below `onevault up` by command; PostgreSQL has a pid file."""
    found: dict[str, list[int]] = {"front": [], "worker": [], "supervisor": [supervisor]}
    roles: Mapping[str, str] = {"serve": "front", "work": "worker"}
    for process in psutil.Process(supervisor).children(recursive=True):
        words = process.cmdline()
        name = next((roles[word] for word in words if word in roles), None)
        if name is not None:
            found[name].append(process.pid)
    postmaster = _postmaster(home)
    if not found["front"] or not found["worker"] or postmaster is None:
        raise GatewayError(f"these processes are not a whole gateway: {found}, {postmaster}")
    services = [Group(name=name, pids=tuple(pids)) for name, pids in found.items()]
    return (*services, Group(name="postgres", pids=(postmaster,), with_children=True))


def _postmaster(home: Path) -> int | None:
    for found in home.glob("data/**/postmaster.pid"):
        return int(found.read_text().split()[0])
    return None


def _leave_nothing(home: Path, process: subprocess.Popen[bytes] | None) -> None:
    """Whatever went wrong: no process of this gateway lives on."""
    if process is not None and process.poll() is None:
        family = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        for child in family:
            if child.is_running():
                child.kill()
    postmaster = _postmaster(home)
    if postmaster is not None and psutil.pid_exists(postmaster):
        server = psutil.Process(postmaster)
        server.send_signal(signal.SIGINT)
        psutil.wait_procs([server], timeout=_STOP_SECONDS)


def _end_of_log(home: Path) -> str:
    return "\n".join((home / "up.log").read_text(errors="replace").splitlines()[-10:])
