"""nginx with the configuration that is shipped, on a free port, before a front of a test's choice."""

from __future__ import annotations

import subprocess
from pathlib import Path

from bench.tools import find_tool
from tests_py.support.ports import free_port, wait_for

CONF = Path(__file__).resolve().parents[2] / "docker" / "nginx.conf"


class Nginx:
    """docker/nginx.conf as it is, but for its ports, its folders and, unless it is to be `patient`, its patience."""

    def __init__(self, folder: Path, front_port: int, *, patient: bool = False) -> None:
        self.port = free_port()
        text = CONF.read_text()
        changes = [
            ("listen 8080", f"listen 127.0.0.1:{self.port}"),
            ("server front:8000", f"server 127.0.0.1:{front_port}"),
            ("worker_processes auto", "worker_processes 1"),
            (" /tmp/", f" {folder}/"),
        ]
        if not patient:
            changes += [
                ("client_body_timeout 15s", "client_body_timeout 1s"),
                ("client_header_timeout 10s", "client_header_timeout 1s"),
            ]
        for before, after in changes:
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
        wait_for(self.port)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"
