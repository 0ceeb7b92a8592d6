"""The private authority of the link and the certificates that it gives to hosts.

    AuthorityError      the authority or a host's certificates cannot be made, read or replaced; says what to do

A directory of certificates holds ca.pem and, for each role, <role>.pem and <role>.key. Only one place also holds
ca.key: whoever can read it can be any front and any worker. Keys are EC P-256, files of keys have mode 0600, and
nothing that exists is overwritten unless that is asked for.
"""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from onevault.errors import OperatorError
from onevault.link_tls import AUTHORITY, Role, check_private, role_uri
from onevault.master_key import write_private

ROLES: Final[tuple[Role, ...]] = ("front", "worker")
DAYS: Final = 397
AUTHORITY_DAYS: Final = 3650
_CLOCKS: Final = timedelta(hours=1)
"""A certificate holds from a little before now, for hosts whose clocks are behind."""

_USAGE: Final = {"front": ExtendedKeyUsageOID.SERVER_AUTH, "worker": ExtendedKeyUsageOID.CLIENT_AUTH}


class AuthorityError(OperatorError):
    """The authority, or certificates of it, cannot be made or read."""


class Authority(NamedTuple):
    """Who signs."""

    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


class Facts(NamedTuple):
    """What is written in one certificate: its file, what it is for, for which names, until when."""

    path: Path
    role: str
    names: list[str]
    expires_at: datetime

    def days_left(self) -> int:
        """Whole days until it expires; negative afterwards."""
        return (self.expires_at - datetime.now(UTC)).days


def create_authority(directory: Path) -> bool:
    """Make the authority unless it is there; True if it was made. Raises `AuthorityError`."""
    key_path, path = directory / f"{AUTHORITY}.key", directory / f"{AUTHORITY}.pem"
    if key_path.exists() and path.exists():
        return False
    if key_path.exists() or path.exists():
        raise AuthorityError(
            f"{directory} holds only one of ca.pem and ca.key: issue certificates where both are, or name an empty "
            "directory with --dir"
        )
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"OneVault link authority {secrets.token_hex(4)}")])
    subject = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    certificate = (
        _begin(name, name, key.public_key(), now, now + timedelta(days=AUTHORITY_DAYS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(authority=True), critical=True)
        .add_extension(subject, critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(subject), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(directory, AUTHORITY, key, certificate)
    return True


def load_authority(directory: Path) -> Authority:
    """The authority of a directory. Raises `AuthorityError`, and `LinkTlsError` for a key that others can read."""
    key_path = directory / f"{AUTHORITY}.key"
    if not key_path.exists():
        raise AuthorityError(
            f"{key_path} is not here: make an authority with `onevault link init`, or name its directory"
        )
    check_private(key_path)
    try:
        key = serialization.load_pem_private_key(key_path.read_bytes(), None)
        certificate = x509.load_pem_x509_certificate((directory / f"{AUTHORITY}.pem").read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise AuthorityError(f"{directory} holds no authority that can be read: name another with --dir") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != certificate.public_key():
        raise AuthorityError(f"ca.key and ca.pem in {directory} do not belong together: bring back the right ones")
    return Authority(certificate, key)


def issue(
    authority: Authority,
    role: Role,
    names: Sequence[str],
    *,
    days: int = DAYS,
    now: datetime | None = None,
    usage: Sequence[x509.ObjectIdentifier] | None = None,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A new key and its certificate for `role` under these names and addresses, valid for `days` from `now`."""
    key = ec.generate_private_key(ec.SECP256R1())
    begin = now or datetime.now(UTC)
    end = min(begin + timedelta(days=days), authority.certificate.not_valid_after_utc)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"OneVault {role}")])
    alternatives = [x509.UniformResourceIdentifier(role_uri(role)), *(_general_name(name) for name in names)]
    certificate = (
        _begin(subject, authority.certificate.subject, key.public_key(), begin, end)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usage or [_USAGE[role]]), critical=False)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.certificate.public_key()),  # type: ignore[arg-type]
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    return key, certificate


def issue_to(
    authority: Authority, directory: Path, role: Role, names: Sequence[str], *, days: int = DAYS, replace: bool = False
) -> Facts:
    """Put a role's new certificate and key, and the authority's certificate, into a directory.

    Raises `AuthorityError` if there is a certificate that is not to be replaced, or the directory cannot be written.
    """
    path = directory / f"{role}.pem"
    if not replace and (path.exists() or path.with_suffix(".key").exists()):
        raise AuthorityError(f"{path} exists: add --replace to renew it, or name another directory with --out")
    anchor = directory / f"{AUTHORITY}.pem"
    wanted = authority.certificate.public_bytes(serialization.Encoding.PEM)
    if not anchor.exists():
        _place(anchor, wanted, 0o644)
    elif anchor.read_bytes() != wanted:
        raise AuthorityError(f"{anchor} is of another authority: empty {directory}, or name another with --out")
    key, certificate = issue(authority, role, names, days=days)
    _write(directory, role, key, certificate)
    return read_facts(path)


def read_facts(path: Path) -> Facts:
    """What is written in a certificate. Raises `AuthorityError`."""
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names: list[object] = [name.value for name in extension.value]
    except (OSError, ValueError) as error:
        raise AuthorityError(f"{path} cannot be read as a certificate: issue it anew") from error
    except x509.ExtensionNotFound:
        names = []
    role = next((role for role in ROLES if role_uri(role) in names), "authority" if not names else "other")
    plain = [str(name) for name in names if not str(name).startswith("onevault:")]
    return Facts(path, role, plain, certificate.not_valid_after_utc)


def find_certificates(directory: Path) -> list[Facts]:
    """The certificates in a directory, and in those below it that were made for other hosts."""
    return [read_facts(path) for path in sorted(directory.glob("*.pem")) + sorted(directory.glob("*/*.pem"))]


def _begin(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begin: datetime, end: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin - _CLOCKS)
        .not_valid_after(end)
    )


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write(directory: Path, name: str, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _place(directory / f"{name}.key", secret, 0o600)
    _place(directory / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _place(path: Path, content: bytes, mode: int) -> None:
    """The whole file at once, or what was there before."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write_private(draft, content)
            draft.chmod(mode)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise AuthorityError(f"cannot write {path}: {error.strerror}") from error
