"""TLS between fronts and workers: version 1.3 only, both sides known by a private authority and by nobody else.

    LinkTlsError      the certificates cannot be used; says which file and what to do

What a certificate may stand for is in it: the URI `onevault:front` or `onevault:worker` among its names, and the
extended key usage of a server or a client. So a worker cannot pose as a front, whatever its other names are.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

from onevault.errors import OperatorError
from onevault.log import get_log

Role = Literal["front", "worker"]

AUTHORITY: Final = "ca"
_REMEDY: Final = "make one with `onevault link init`, or `onevault link issue` where the authority's key is"

_log = get_log("link.tls")


class LinkTlsError(OperatorError):
    """The certificates of the link cannot be used."""


def role_uri(role: Role) -> str:
    """The name by which a certificate says what its holder is."""
    return f"onevault:{role}"


def has_role(transport: asyncio.BaseTransport, role: Role) -> bool:
    """Whether the peer of a finished handshake has shown a certificate of this role."""
    shown = transport.get_extra_info("peercert") or {}
    return ("URI", role_uri(role)) in shown.get("subjectAltName", ())


class Credentials:
    """One role's certificate and key, and the authority, in a directory; renewed files are taken up as they appear."""

    def __init__(self, directory: Path, role: Role) -> None:
        self._role: Role = role
        self._authority = directory / f"{AUTHORITY}.pem"
        self._certificate = directory / f"{role}.pem"
        self._key = directory / f"{role}.key"
        self._context: ssl.SSLContext | None = None
        self._stamps: object = None

    @property
    def present(self) -> bool:
        """Whether somebody has put a certificate of this role there."""
        return self._certificate.exists()

    def context(self) -> ssl.SSLContext:
        """For the next handshake. Raises `LinkTlsError`, unless there is an older one that still serves."""
        try:
            stamps = [_stamp(path) for path in (self._authority, self._certificate, self._key)]
            if self._context is None or stamps != self._stamps:
                self._context = self._load()
                self._stamps = stamps
        except LinkTlsError as error:
            if self._context is None:
                raise
            _log.error("renewal_unusable", error, path=str(self._certificate))
        return self._context

    def _load(self) -> ssl.SSLContext:
        check_private(self._key)
        self._check_term()
        if self._role == "front":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.verify_mode = ssl.CERT_REQUIRED
            context.num_tickets = 0  # each connection shows its certificate anew
        else:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.hostname_checks_common_name = False
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        try:
            context.load_verify_locations(self._authority)
            context.load_cert_chain(self._certificate, self._key, password=_no_password)
        except (ssl.SSLError, OSError) as error:
            raise LinkTlsError(
                f"{self._authority}, {self._certificate} and {self._key} do not make a chain and its key: {_REMEDY}"
            ) from error
        return context

    def _check_term(self) -> None:
        from cryptography import x509

        try:
            certificate = x509.load_pem_x509_certificate(self._certificate.read_bytes())
        except ValueError:
            raise LinkTlsError(f"{self._certificate} is no certificate: {_REMEDY}") from None
        if certificate.not_valid_after_utc <= datetime.now(UTC):
            when = certificate.not_valid_after_utc.date()
            raise LinkTlsError(
                f"the certificate {self._certificate} has expired on {when}: renew it with "
                "`onevault link issue --replace` where the authority's key is"
            )


def check_private(path: Path) -> None:
    """Raise `LinkTlsError` unless this key can be read by its owner alone."""
    mode = stat.S_IMODE(_stat(path).st_mode)
    if mode & 0o077:
        raise LinkTlsError(f"the key {path} has mode {mode:04o}: run `chmod 600 {path}`")


def _stamp(path: Path) -> tuple[int, int, int, int]:
    found = _stat(path)
    return found.st_mtime_ns, found.st_size, found.st_ino, found.st_mode


def _stat(path: Path) -> os.stat_result:
    try:
        return path.stat()
    except OSError as error:
        raise LinkTlsError(f"cannot read {path} ({error.strerror}): {_REMEDY}") from error


def _no_password() -> str:
    return ""
