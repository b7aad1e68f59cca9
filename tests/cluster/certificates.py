"""The certificates and kubeconfigs of a test cluster, as kubeadm would lay them out."""

import base64
import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFETIME = timedelta(days=365)
_CLOCK_SKEW = timedelta(hours=1)


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, both as PEM."""

    certificate: bytes
    key: bytes


class Authority:
    """A certificate authority whose files are `NAME.crt` and `NAME.key` in one folder."""

    def __init__(self, folder: Path, name: str) -> None:
        self.certificate_file = folder / f"{name}.crt"
        self._key_file = folder / f"{name}.key"
        if not self._key_file.exists():
            self._create(name)
        key = serialization.load_pem_private_key(self._key_file.read_bytes(), password=None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())

    def issue(self, user: str, groups: Sequence[str] = (), hosts: Sequence[str] = ()) -> Pair:
        """Sign a certificate for a user in groups, who may also serve at the hosts."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(user, groups), self._certificate.subject, key)
        usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if hosts:
            names = x509.SubjectAlternativeName([_host(host) for host in hosts])
            builder = builder.add_extension(names, critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        return Pair(certificate.public_bytes(serialization.Encoding.PEM), _pem(key))

    def _create(self, name: str) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = _name(f"weir-test-{name}")
        builder = _builder(subject, subject, key).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True
        )
        certificate = builder.sign(key, hashes.SHA256())
        write_secret(self.certificate_file, certificate.public_bytes(serialization.Encoding.PEM))
        write_secret(self._key_file, _pem(key))  # last: its presence means that both are there


def write_signing_key(private: Path, public: Path) -> None:
    """Make the key that signs the tokens of ServiceAccounts, unless it is there."""
    if public.exists():
        return
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    write_secret(private, _pem(key))
    write_secret(public, key.public_key().public_bytes(serialization.Encoding.PEM, spki))


def write_pair(pair: Pair, folder: Path, name: str) -> tuple[Path, Path]:
    """Write a pair as `NAME.crt` and `NAME.key`, and return both paths."""
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    write_secret(certificate, pair.certificate)
    write_secret(key, pair.key)
    return certificate, key


def write_kubeconfig(file: Path, server: str, authority: Authority, user: Pair) -> Path:
    """Write a kubeconfig that contains all it refers to, so that it can be copied anywhere."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": "weir-test",
                "cluster": {
                    "server": server,
                    "certificate-authority-data": _base64(authority.certificate_file.read_bytes()),
                },
            }
        ],
        "users": [
            {
                "name": "user",
                "user": {
                    "client-certificate-data": _base64(user.certificate),
                    "client-key-data": _base64(user.key),
                },
            }
        ],
        "contexts": [{"name": "weir-test", "context": {"cluster": "weir-test", "user": "user"}}],
        "current-context": "weir-test",
    }
    write_secret(file, yaml.safe_dump(config).encode())
    return file


def write_secret(file: Path, content: bytes) -> None:
    """Write a file that only its owner can read, complete or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
        stream.write(content)
    unfinished.rename(file)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + _LIFETIME)
    )


def _name(user: str, groups: Sequence[str] = ()) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, user)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()
