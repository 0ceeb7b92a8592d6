"""A PostgreSQL as a host rents it out: reached by TCP and password, its owner no superuser."""

from __future__ import annotations

import secrets
import socket
from pathlib import Path
from typing import Any

import psycopg

from onevault.database import Role, open_database
from onevault.embedded import EmbeddedServer
from onevault.settings import load_settings


class RemoteServer:
    """A server on 127.0.0.1 in the directory `home`; `url` is the login `hosted` on `gateway`."""

    def __init__(self, home: Path) -> None:
        database = open_database(load_settings({"ONEVAULT_HOME": str(home)}, None))
        password = secrets.token_urlsafe(12)
        with psycopg.connect(database.dsn("owner"), autocommit=True) as connection:
            connection.execute(f"create role hosted login createrole password '{password}'".encode())
            connection.execute("create database gateway owner hosted")
        database.close()
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self._server = EmbeddedServer(home)
        (home / "pg" / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")
        self._control("-o", f"-p {port} -h 127.0.0.1", "-l", str(self._server.log), "start")
        self.url = f"postgresql://hosted:{password}@127.0.0.1:{port}/gateway"

    def dsn(self, role: Role = "owner") -> str:
        """The connection string of a role, as the gateway makes it."""
        return open_database(load_settings({"DATABASE_URL": self.url}, None)).dsn(role)

    def environ(self, home: Path) -> dict[str, str]:
        """Variables under which a process works on this server with `home` as data directory."""
        return {"ONEVAULT_HOME": str(home), "DATABASE_URL": self.url}

    def connect(self, role: Role = "owner", *, autocommit: bool = True) -> psycopg.Connection[Any]:
        """A new connection; the caller closes it."""
        return psycopg.connect(self.dsn(role), autocommit=autocommit)

    def query(self, statement: str, *parameters: Any, role: Role = "owner") -> list[tuple[Any, ...]]:
        """The rows of one statement, run on a connection of its own."""
        with self.connect(role) as connection:
            return connection.execute(statement.encode(), parameters or None).fetchall()

    def close(self) -> None:
        """Stops the server."""
        self._control("-m", "immediate", "stop")

    def _control(self, *arguments: str) -> None:
        self._server._run("pg_ctl", "-D", str(self._server.data), "-w", *arguments)
