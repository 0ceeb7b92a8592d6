"""A customer's endpoint for events: a real HTTPS server, which does what the path of a request says.

/ok…           200            /hang…      no answer until the server is closed
/status-410…   that status    /endless…   200 and a body without end
/redirect…     302 to `location`           /first-500…   500 to the first request of a path, then 200
"""

from __future__ import annotations

import contextlib
import re
import ssl
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests_py.support.certificates import Certificates, bare_server


class Received(NamedTuple):
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Endpoint:
    """Listens on 127.0.0.1 under a certificate for `names`; `ca_file` vouches for it."""

    def __init__(self, place: Path, names: tuple[str, ...] = ("127.0.0.1", "localhost")) -> None:
        certificates = Certificates(place, names)
        self.ca_file = certificates.home / "ca.pem"
        self.received: list[Received] = []
        self.connections = 0
        self.location = "https://169.254.169.254/latest/meta-data"
        self.on_request: Callable[[Received], None] = lambda _: None
        self._closed = threading.Event()
        self._server = _Server(self, bare_server(certificates.home))
        self.port: int = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def url(self, path: str, host: str = "localhost") -> str:
        """The address of a path here."""
        return f"https://{host}:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        """What came for this path so far."""
        return [request for request in self.received if request.path == path]

    def wait_for(self, path: str, count: int = 1, seconds: float = 20) -> list[Received]:
        """Returns when so many requests came for this path."""
        deadline = time.monotonic() + seconds
        while len(found := self.at(path)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} came for {path}"
            time.sleep(0.02)
        return found

    def answer(self, request: Received, handler: BaseHTTPRequestHandler) -> None:
        """What the path says."""
        self.on_request(request)
        if request.path.startswith("/hang"):
            self._closed.wait()
            handler.close_connection = True
            return
        status, headers = 200, {"content-length": "0"}
        if found := re.match(r"/status-(\d+)", request.path):
            status = int(found[1])
        elif request.path.startswith("/first-500"):
            status = 500 if len(self.at(request.path)) == 1 else 200
        elif request.path.startswith("/redirect"):
            status, headers = 302, {"content-length": "0", "location": self.location}
        elif request.path.startswith("/endless"):
            headers = {"content-length": str(1 << 40)}
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.end_headers()
        with contextlib.suppress(OSError):
            while request.path.startswith("/endless") and not self._closed.is_set():
                handler.wfile.write(b"x" * 65536)

    def close(self) -> None:
        """Lets everybody go."""
        self._closed.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, endpoint: Endpoint, context: ssl.SSLContext) -> None:
        self.endpoint = endpoint
        self._context = context
        super().__init__(("127.0.0.1", 0), _Handler)

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        self.endpoint.connections += 1
        return self._context.wrap_socket(connection, server_side=True, do_handshake_on_connect=False), address

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up does so."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        endpoint: Endpoint = self.server.endpoint  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["content-length"]))
        request = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        endpoint.received.append(request)
        endpoint.answer(request, self)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Says nothing."""
