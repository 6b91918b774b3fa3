"""A cluster's own certificate authority, and a certificate for each member."""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from anchord.errors import OutputError, SettingsError, reason

#: The authority's files; its key makes members.
AUTHORITY, AUTHORITY_KEY = "ca.pem", "ca.key"

_AUTHORITY_DAYS = 3650
# A member's clock may be behind.
_BEFORE = dt.timedelta(hours=1)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}\Z")

Signer: TypeAlias = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def make(folder: Path, members: Iterable[str], *, days: int) -> Iterator[str]:
    """
    Make what is missing of a cluster's certificates.

    Args:
        folder: where they go; made where it is not there, for this user alone.
        members: names of members, as in ``node1``.
        days: for how long members' certificates hold.

    Yields:
        a line for each certificate, made or found.

    Raises:
        SettingsError: a member's name can't be a file's, or the authority's files are not.
        OutputError: a file can't be written.
    """
    wanted = list(members)
    for name in wanted:
        if not _NAME.match(name) or name == "ca":
            raise SettingsError(
                f"member {name!r}: must be letters, digits, dots and dashes, such as node1.example.org, and "
                "not ca"
            )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        signer = _found(folder)
        if signer is None:
            signer = _authority(folder)
            yield f"{folder / AUTHORITY}: made; {AUTHORITY_KEY} beside it makes members: keep it off them"
        for name in wanted:
            file = folder / f"{name}.pem"
            if file.exists():
                yield f"{file}: is there already; remove it and {name}.key to make another"
                continue
            until = _member(folder, name, signer, days)
            yield f"{file}, {name}.key: made, until {until:%Y-%m-%d}"
    except OSError as error:
        raise OutputError(f"{error.filename or folder}: cannot be written: {reason(error)}") from error


def days_left(file: Path, *, now: dt.datetime) -> float:
    """
    For how many days a member's certificate holds from *now*; negative where it does not any more.

    Raises:
        SettingsError: the file is no certificate, or can't be read.
    """
    try:
        until = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    except (OSError, ValueError) as error:
        raise SettingsError(f"{file}: cannot be read as a certificate: {reason(error)}") from error
    return (until - now) / dt.timedelta(days=1)


def _found(folder: Path) -> Signer | None:
    certificate, key = folder / AUTHORITY, folder / AUTHORITY_KEY
    if not certificate.exists() and not key.exists():
        return None
    try:
        private = serialization.load_pem_private_key(key.read_bytes(), password=None)
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except FileNotFoundError as error:
        raise SettingsError(f"{error.filename}: is missing; without it no member can be made") from error
    except ValueError as error:
        raise SettingsError(f"{folder}: {AUTHORITY} and {AUTHORITY_KEY} cannot be read: {error}") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey) or private.public_key() != found.public_key():
        raise SettingsError(f"{folder}: {AUTHORITY_KEY} is not the key of {AUTHORITY}")
    return found, private


def _authority(folder: Path) -> Signer:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _named("anchord cluster")
    certificate = (
        _begun(name, name, key.public_key(), _AUTHORITY_DAYS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    _write(folder, "ca", certificate, key)
    return certificate, key


def _member(folder: Path, name: str, signer: Signer, days: int) -> dt.datetime:
    """Make a member's certificate, good for both ends of a connection; until when it holds."""
    authority, authority_key = signer
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _begun(_named(name), authority.subject, key.public_key(), days)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]),
            critical=False,
        )
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key()), critical=False
        )
        .sign(authority_key, hashes.SHA256())
    )
    _write(folder, name, certificate, key)
    return certificate.not_valid_after_utc


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int
) -> x509.CertificateBuilder:
    now = dt.datetime.now(dt.UTC)
    return x509.CertificateBuilder(
        issuer_name=issuer,
        subject_name=subject,
        public_key=key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _BEFORE,
        not_valid_after=now + dt.timedelta(days=days),
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _write(folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """The key first, so that no certificate is there without one; neither is readable by others."""
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    for file, content in ((f"{name}.key", private), (f"{name}.pem", public)):
        descriptor = os.open(folder / file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(content)
