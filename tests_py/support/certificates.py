"""Certificates for tests of the link: a real authority, and everything that may be wrong with what it gives."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from onevault.link_authority import ROLES, create_authority, issue, issue_to, load_authority
from onevault.link_tls import Role

BOTH_USAGES = (ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH)
HERE = ("127.0.0.1", "localhost")


class Certificates:
    """An authority of its own in `place`; `home` holds good certificates of this machine for both roles."""

    def __init__(self, place: Path, names: tuple[str, ...] = HERE) -> None:
        self.home = place
        create_authority(place)
        self.authority = load_authority(place)
        for role in ROLES:
            issue_to(self.authority, place, role, names)

    def spoil(
        self,
        directory: Path,
        role: Role,
        *,
        posing_as: Role | None = None,
        names: tuple[str, ...] = HERE,
        expired: bool = False,
        usage: tuple[ObjectIdentifier, ...] | None = None,
        signer: Certificates | None = None,
    ) -> Path:
        """A directory that trusts this authority and whose certificate for `posing_as` (else `role`) is as told."""
        directory.mkdir(exist_ok=True)
        (directory / "ca.pem").write_bytes((self.home / "ca.pem").read_bytes())
        begin = datetime.now(UTC) - timedelta(days=10)
        authority = (signer or self).authority
        key, certificate = issue(authority, role, names, days=9 if expired else 100, now=begin, usage=usage)
        target = directory / f"{posing_as or role}.pem"
        target.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        target.with_suffix(".key").write_bytes(secret)
        target.with_suffix(".key").chmod(0o600)
        return directory


def bare_client(directory: Path | None, role: str = "worker", **changes: Any) -> ssl.SSLContext:
    """A client that shows the certificate of a role in a directory, or none, and looks at nothing itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if directory is not None:
        context.load_cert_chain(directory / f"{role}.pem", directory / f"{role}.key")
    for name, value in changes.items():
        setattr(context, name, value)
    return context


def bare_server(directory: Path, role: str = "front") -> ssl.SSLContext:
    """A server that shows the certificate of a role in a directory and asks nobody for one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / f"{role}.pem", directory / f"{role}.key")
    return context
