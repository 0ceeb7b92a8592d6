"""Settings: read once from the environment and a `.env` file, then passed along, never global.

    SettingsError      a variable cannot be used; names the variable, its value and the remedy

The environment wins over `.env`; an empty variable counts as not set. `VARIABLES` lists every
variable with its default and its meaning: the documentation is generated from it.
"""

from __future__ import annotations

import hashlib
import ipaddress
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from onevault.errors import OperatorError
from onevault.link_address import Advertised, Listen, parse_advertised, parse_listen
from onevault.tokens import Secret

T = TypeVar("T")

MEBIBYTE = 1024 * 1024
# A unix socket's path holds 103 bytes on macOS and 107 on Linux.
SOCKET_PATH_BYTES = 103
_HOST = re.compile(r"[a-z0-9][a-z0-9._-]{0,252}|\[[0-9a-f:.]{2,45}\]")
_LONGEST_LINK_NAME = len("/front-4194304-0123456789abcdef.sock")


class SettingsError(OperatorError):
    """A setting that cannot be used. The text names the variable, its value and the remedy."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """All settings of one gateway. Sizes in bytes, durations in seconds unless the name says ms.

    `home` is the data directory: pg/ (embedded PostgreSQL), run/ (sockets, mode 0700),
    logs/ and master.key.
    """

    home: Path = Path(".onevault")
    host: str = "127.0.0.1"
    port: int = 8000
    database_url: str | None = None
    app_database_url: str | None = None
    worker_database_url: str | None = None
    master_key: Secret[str] | None = None
    master_key_file: Path | None = None
    master_key_previous: Secret[str] | None = None
    master_key_previous_file: Path | None = None
    link_dir: Path = Path(".onevault/run")
    link_listen: Listen | None = None
    link_advertise: Advertised | None = None
    link_tls_dir: Path = Path(".onevault/link")
    body_limit_bytes: int = 10 * MEBIBYTE
    request_timeout_seconds: float = 600.0
    header_timeout_seconds: float = 10.0
    body_timeout_seconds: float = 30.0
    keep_alive_seconds: float = 75.0
    send_timeout_seconds: float = 60.0
    max_connections: int = 8192
    allowed_hosts: tuple[str, ...] = ()
    drain_timeout_seconds: float = 30.0
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    log_level: str = "info"
    sandbox_output_tokens: int = 48
    sandbox_tokens_per_second: float = 0.0
    sandbox_first_byte_ms: int = 0
    worker_concurrency: int = 512
    retry_patience_seconds: float = 10.0
    front_calls: int = 4096
    front_body_bytes: int = 256 * MEBIBYTE
    front_answer_bytes: int = 256 * MEBIBYTE
    webhook_allowed_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    webhook_ca_file: Path | None = None

    def __repr__(self) -> str:
        """Shows where things are, never a key or a password."""
        return f"Settings(home={str(self.home)!r}, host={self.host!r}, port={self.port})"


class Variable(NamedTuple):
    """One line of the documentation: the variable, its default as text, what it means."""

    name: str
    default: str
    meaning: str


VARIABLES = (
    Variable("ONEVAULT_HOME", "./.onevault", "data directory"),
    Variable("ONEVAULT_HOST", "127.0.0.1", "address the front listens on"),
    Variable("ONEVAULT_PORT", "8000", "port the front listens on; 0 picks a free one"),
    Variable("DATABASE_URL", "", "PostgreSQL 18 or newer, as owner; empty: the embedded one"),
    Variable("ONEVAULT_APP_DATABASE_URL", "", "the front's connection, a login of onevault_app"),
    Variable("ONEVAULT_WORKER_DATABASE_URL", "", "the worker's, a login of onevault_worker"),
    Variable("ONEVAULT_MASTER_KEY", "", "master key; empty: read from the file"),
    Variable("ONEVAULT_MASTER_KEY_FILE", "<home>/master.key", "file that holds the master key"),
    Variable("ONEVAULT_MASTER_KEY_PREVIOUS", "", "a second key, which opens and never seals, while it is changed"),
    Variable("ONEVAULT_MASTER_KEY_PREVIOUS_FILE", "", "file that holds the second master key"),
    Variable("ONEVAULT_LINK_DIR", "<home>/run", "where fronts and workers meet (unix sockets)"),
    Variable(
        "ONEVAULT_LINK_LISTEN", "", "address:port for workers of other machines (TLS); 0 or 7443-7450 for several"
    ),
    Variable("ONEVAULT_LINK_ADVERTISE", "", "name or address, or name:port, by which workers dial this front"),
    Variable("ONEVAULT_LINK_TLS_DIR", "<home>/link", "certificates of the link, see `onevault link`"),
    Variable("ONEVAULT_BODY_LIMIT_BYTES", "10485760", "largest request body"),
    Variable("ONEVAULT_REQUEST_TIMEOUT_SECONDS", "600", "longest time one request may take"),
    Variable("ONEVAULT_HEADER_TIMEOUT_SECONDS", "10", "how long the head of a request may take to arrive"),
    Variable("ONEVAULT_BODY_TIMEOUT_SECONDS", "30", "how long its body may take to arrive"),
    Variable("ONEVAULT_KEEP_ALIVE_SECONDS", "75", "how long a connection may be idle between two requests"),
    Variable("ONEVAULT_SEND_TIMEOUT_SECONDS", "60", "how long a client may leave 48 kB of its answer unread"),
    Variable("ONEVAULT_MAX_CONNECTIONS", "8192", "connections one front holds at once; more are told 503"),
    Variable("ONEVAULT_ALLOWED_HOSTS", "", "names that `Host` may hold, separated by commas; empty: any"),
    Variable("ONEVAULT_DRAIN_TIMEOUT_SECONDS", "30", "how long a stop waits for running answers"),
    Variable("ONEVAULT_TRUSTED_PROXIES", "", "addresses or networks whose X-Forwarded-For is believed"),
    Variable("ONEVAULT_LOG_LEVEL", "info", "debug, info, warning or error"),
    Variable("ONEVAULT_SANDBOX_OUTPUT_TOKENS", "48", "tokens in an answer of the sandbox"),
    Variable("ONEVAULT_SANDBOX_TOKENS_PER_SECOND", "0", "its pace; 0 answers at once"),
    Variable("ONEVAULT_SANDBOX_FIRST_BYTE_MS", "0", "its wait before the first byte"),
    Variable(
        "ONEVAULT_RETRY_PATIENCE_SECONDS",
        "10",
        "how long a call whose candidates all failed may wait to ask those once more that may have recovered (0: not)",
    ),
    Variable("ONEVAULT_WORKER_CONCURRENCY", "512", "requests one worker holds at once"),
    Variable("ONEVAULT_FRONT_CALLS", "4096", "requests one front holds at once"),
    Variable("ONEVAULT_FRONT_BODY_BYTES", "268435456", "request bodies one front holds at once"),
    Variable("ONEVAULT_FRONT_ANSWER_BYTES", "268435456", "answers one front holds for slow customers"),
    Variable("ONEVAULT_WEBHOOK_ALLOWED_NETWORKS", "", "networks beside the public internet that webhooks may lead to"),
    Variable(
        "ONEVAULT_WEBHOOK_CA_FILE", "", "certificates (PEM) that vouch for webhooks, beside the public authorities"
    ),
)


def load_settings(environ: Mapping[str, str] | None = None, dotenv: Path | None = Path(".env")) -> Settings:
    """Settings from `environ` (default: the process's) over the lines of `dotenv`, if it exists.

    Raises SettingsError for a value that cannot be used and for a malformed `.env` line.
    """
    values: dict[str, str] = {}
    if dotenv is not None and dotenv.is_file():
        values.update(read_dotenv(dotenv))
    values.update({k: v for k, v in (os.environ if environ is None else environ).items() if v})
    return _Reader(values).settings()


def read_dotenv(path: Path) -> dict[str, str]:
    """Variables of a `.env` file: NAME=value lines, `export` allowed, single or double quotes.

    Nothing is expanded. A `#` after white space ends an unquoted value.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.removeprefix("export ").partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
            raise SettingsError(f"{path}, line {number}: expected NAME=value")
        if value[:1] in ("'", '"'):
            closing = value.find(value[0], 1)
            if closing < 0:
                raise SettingsError(f"{path}, line {number}: the quote of {name} is never closed")
            value = value[1:closing]
        else:
            value = re.split(r"\s#", value, maxsplit=1)[0].rstrip()
        if value:
            found[name] = value
    return found


def short_directory(wanted: Path, longest_name: int) -> Path:
    """`wanted`, or a directory of a short name when a socket's path in `wanted` would be too long.

    The substitute lies under the system's temporary directory and depends only on `wanted`, so
    that every process of one gateway finds the same. `longest_name` counts bytes and the slash.
    """
    if len(os.fsencode(wanted)) + longest_name <= SOCKET_PATH_BYTES:
        return wanted
    digest = hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]
    base = Path(tempfile.gettempdir())
    if len(os.fsencode(base)) > 40:
        base = Path("/tmp")  # noqa: S108  (the directory itself is private: mode 0700, owner checked)
    return base / f"onevault-{os.getuid()}-{digest}"


class _Reader:
    """Turns text into settings, field by field, with errors that name the variable."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values

    def settings(self) -> Settings:
        default = Settings()
        home = self._path("ONEVAULT_HOME", default.home)
        run = short_directory(home / "run", _LONGEST_LINK_NAME)
        return Settings(
            home=home,
            host=self._values.get("ONEVAULT_HOST", default.host),
            port=self._whole("ONEVAULT_PORT", default.port, 0, 65535),
            database_url=self._url("DATABASE_URL"),
            app_database_url=self._url("ONEVAULT_APP_DATABASE_URL"),
            worker_database_url=self._url("ONEVAULT_WORKER_DATABASE_URL"),
            master_key=self._secret("ONEVAULT_MASTER_KEY"),
            master_key_file=self._path("ONEVAULT_MASTER_KEY_FILE", home / "master.key"),
            master_key_previous=self._secret("ONEVAULT_MASTER_KEY_PREVIOUS"),
            master_key_previous_file=self._optional_path("ONEVAULT_MASTER_KEY_PREVIOUS_FILE"),
            link_dir=self._path("ONEVAULT_LINK_DIR", run),
            link_listen=self._parsed(
                "ONEVAULT_LINK_LISTEN", parse_listen, "0.0.0.0:7443, or a range 0.0.0.0:7443-7450"
            ),
            link_advertise=self._parsed(
                "ONEVAULT_LINK_ADVERTISE", parse_advertised, "gateway-1.internal or 10.0.0.5:7443"
            ),
            link_tls_dir=self._path("ONEVAULT_LINK_TLS_DIR", home / "link"),
            body_limit_bytes=self._whole("ONEVAULT_BODY_LIMIT_BYTES", default.body_limit_bytes, 1024, 1024 * MEBIBYTE),
            request_timeout_seconds=self._real(
                "ONEVAULT_REQUEST_TIMEOUT_SECONDS", default.request_timeout_seconds, 0.1, 86400
            ),
            header_timeout_seconds=self._real(
                "ONEVAULT_HEADER_TIMEOUT_SECONDS", default.header_timeout_seconds, 0.1, 3600
            ),
            body_timeout_seconds=self._real("ONEVAULT_BODY_TIMEOUT_SECONDS", default.body_timeout_seconds, 0.1, 3600),
            keep_alive_seconds=self._real("ONEVAULT_KEEP_ALIVE_SECONDS", default.keep_alive_seconds, 0.1, 3600),
            send_timeout_seconds=self._real("ONEVAULT_SEND_TIMEOUT_SECONDS", default.send_timeout_seconds, 0.1, 3600),
            max_connections=self._whole("ONEVAULT_MAX_CONNECTIONS", default.max_connections, 1, 1_000_000),
            allowed_hosts=self._hosts("ONEVAULT_ALLOWED_HOSTS"),
            drain_timeout_seconds=self._real("ONEVAULT_DRAIN_TIMEOUT_SECONDS", default.drain_timeout_seconds, 0, 3600),
            trusted_proxies=self._networks("ONEVAULT_TRUSTED_PROXIES"),
            log_level=self._log_level(default.log_level),
            sandbox_output_tokens=self._whole(
                "ONEVAULT_SANDBOX_OUTPUT_TOKENS", default.sandbox_output_tokens, 0, 1_000_000
            ),
            sandbox_tokens_per_second=self._real(
                "ONEVAULT_SANDBOX_TOKENS_PER_SECOND", default.sandbox_tokens_per_second, 0, 1e9
            ),
            sandbox_first_byte_ms=self._whole(
                "ONEVAULT_SANDBOX_FIRST_BYTE_MS", default.sandbox_first_byte_ms, 0, 600_000
            ),
            retry_patience_seconds=self._real(
                "ONEVAULT_RETRY_PATIENCE_SECONDS", default.retry_patience_seconds, 0, 600
            ),
            worker_concurrency=self._whole("ONEVAULT_WORKER_CONCURRENCY", default.worker_concurrency, 1, 65536),
            front_calls=self._whole("ONEVAULT_FRONT_CALLS", default.front_calls, 1, 1_000_000),
            front_body_bytes=self._whole("ONEVAULT_FRONT_BODY_BYTES", default.front_body_bytes, 1024, 1 << 40),
            front_answer_bytes=self._whole("ONEVAULT_FRONT_ANSWER_BYTES", default.front_answer_bytes, 1024, 1 << 40),
            webhook_allowed_networks=self._networks("ONEVAULT_WEBHOOK_ALLOWED_NETWORKS"),
            webhook_ca_file=self._optional_path("ONEVAULT_WEBHOOK_CA_FILE"),
        )

    def _whole(self, name: str, default: int, low: int, high: int) -> int:
        return self._number(name, default, low, high, int, "a whole number")

    def _real(self, name: str, default: float, low: float, high: float) -> float:
        return self._number(name, default, low, high, float, "a number")

    def _number(self, name: str, default: T, low: float, high: float, kind: Callable[[str], T], what: str) -> T:
        text = self._values.get(name)
        if text is None:
            return default
        try:
            value = kind(text)
            if not low <= float(text) <= high:  # false for nan too
                raise ValueError(text)
        except (ValueError, OverflowError):
            raise SettingsError(f"{name} is {text!r}: set it to {what} from {low:g} to {high:g}, or unset it") from None
        return value

    def _path(self, name: str, default: Path) -> Path:
        return Path(self._values.get(name) or default).expanduser().absolute()

    def _optional_path(self, name: str) -> Path | None:
        return self._path(name, Path()) if name in self._values else None

    def _secret(self, name: str) -> Secret[str] | None:
        text = self._values.get(name)
        return None if text is None else Secret(text)

    def _parsed(self, name: str, parse: Callable[[str], T], example: str) -> T | None:
        text = self._values.get(name)
        try:
            return None if text is None else parse(text)
        except ValueError:
            raise SettingsError(f"{name} is {text!r}: write it as {example}, or unset it") from None

    def _url(self, name: str) -> str | None:
        text = self._values.get(name)
        if text is not None and not re.match(r"postgres(ql)?://|\w+\s*=", text):
            # The value may hold a password, so it is not repeated.
            raise SettingsError(
                f"{name} is no connection string: write it as postgresql://user:password@host:port/database"
            )
        return text

    def _networks(self, name: str) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        text = self._values.get(name, "")
        try:
            return tuple(ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip())
        except ValueError:
            raise SettingsError(
                f"{name} is {text!r}: set it to addresses or networks such as 10.0.0.0/8, separated by commas, "
                "or unset it"
            ) from None

    def _hosts(self, name: str) -> tuple[str, ...]:
        text = self._values.get(name, "")
        hosts = tuple(part.strip().lower() for part in text.split(",") if part.strip())
        if not all(_HOST.fullmatch(host) for host in hosts):
            raise SettingsError(
                f"{name} is {text!r}: set it to host names without a port, separated by commas, or unset it"
            )
        return hosts

    def _log_level(self, default: str) -> str:
        level = self._values.get("ONEVAULT_LOG_LEVEL", default).lower()
        if level not in ("debug", "info", "warning", "error"):
            raise SettingsError(f"ONEVAULT_LOG_LEVEL is {level!r}: set it to debug, info, warning or error")
        return level
