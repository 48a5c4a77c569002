"""The cluster's own certificate authority and the certificates of its parts.

ECDSA P-256 throughout: made in milliseconds, accepted everywhere. Everything is written 0600 into one folder of the
instance's state and goes away with it; nothing here is a secret that outlives the cluster.
"""

from __future__ import annotations

import base64
import datetime
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = datetime.timedelta(days=3650)
# A machine that resumes from a snapshot may lag behind for a moment; a certificate must not be "not yet valid" then.
BACKDATE = datetime.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """Paths of a certificate (PEM) and its private key (PEM, 0600)."""

    certificate: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Authority:
    """The signing authority; `pair.certificate` is what clients trust."""

    pair: KeyPair
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(path.name + ".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        os.fsync(stream.fileno())
    draft.replace(path)


def _key_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _name(common_name: str, groups: Sequence[str]) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _base(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATE)
        .not_valid_after(now + LIFETIME)
    )


def ensure_authority(folder: Path) -> Authority:
    """Load the authority of this folder, or make it when the folder has none."""
    pair = KeyPair(folder / "ca.crt", folder / "ca.key")
    if pair.certificate.exists() and pair.key.exists():
        loaded = serialization.load_pem_private_key(pair.key.read_bytes(), password=None)
        assert isinstance(loaded, ec.EllipticCurvePrivateKey)  # this module wrote it
        return Authority(pair, x509.load_pem_x509_certificate(pair.certificate.read_bytes()), loaded)
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("algo-trading local authority", ())
    usage = x509.KeyUsage(True, False, False, False, False, True, True, False, False)
    certificate = (
        _base(name, name, key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    write_private(pair.key, _key_bytes(key))
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return Authority(pair, certificate, key)


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def ensure_certificate(
    authority: Authority,
    folder: Path,
    name: str,
    common_name: str,
    groups: Sequence[str] = (),
    hosts: Sequence[str] = (),
) -> KeyPair:
    """Return the certificate `<name>.crt/.key` of this folder, signing it first when absent.

    With `hosts` (DNS names or addresses) it also serves TLS; without, it is for clients only.
    """
    pair = KeyPair(folder / f"{name}.crt", folder / f"{name}.key")
    if pair.certificate.exists() and pair.key.exists():
        return pair
    key = ec.generate_private_key(ec.SECP256R1())
    uses = [ExtendedKeyUsageOID.CLIENT_AUTH]
    builder = _base(_name(common_name, groups), authority.certificate.subject, key)
    if hosts:
        uses.append(ExtendedKeyUsageOID.SERVER_AUTH)
        builder = builder.add_extension(x509.SubjectAlternativeName([_alternative(host) for host in hosts]), False)
    certificate = (
        builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage(uses), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key()),
            critical=False,
        )
        .sign(authority.key, hashes.SHA256())
    )
    write_private(pair.key, _key_bytes(key))
    write_private(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM))
    return pair


def ensure_signing_key(folder: Path, name: str) -> KeyPair:
    """Return the key pair that signs service-account tokens; `certificate` holds the public key (PEM)."""
    pair = KeyPair(folder / f"{name}.pub", folder / f"{name}.key")
    if not (pair.certificate.exists() and pair.key.exists()):
        key = ec.generate_private_key(ec.SECP256R1())
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_private(pair.key, _key_bytes(key))
        write_private(pair.certificate, public)
    return pair


def write_kubeconfig(path: Path, server: str, authority: Authority, user: KeyPair) -> Path:
    """Write a kubeconfig (0600) with everything inside it, so that the one file can be handed on."""

    def encoded(source: Path) -> str:
        return base64.b64encode(source.read_bytes()).decode()

    credentials = {
        "client-certificate-data": encoded(user.certificate),
        "client-key-data": encoded(user.key),
    }
    return _write_kubeconfig(path, server, encoded(authority.pair.certificate), credentials)


def write_token_kubeconfig(path: Path, server: str, authority: Authority, token: str) -> Path:
    """Write a kubeconfig (0600) that logs in with a bearer token."""
    certificate = base64.b64encode(authority.pair.certificate.read_bytes()).decode()
    return _write_kubeconfig(path, server, certificate, {"token": token})


def _write_kubeconfig(path: Path, server: str, certificate: str, credentials: dict[str, str]) -> Path:
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "algo-local", "cluster": {"server": server, "certificate-authority-data": certificate}}],
        "users": [{"name": "algo-local", "user": credentials}],
        "contexts": [{"name": "algo-local", "context": {"cluster": "algo-local", "user": "algo-local"}}],
        "current-context": "algo-local",
    }
    write_private(path, yaml.safe_dump(document, sort_keys=False).encode())
    return path
