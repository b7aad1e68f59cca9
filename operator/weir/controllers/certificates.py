"""The certificates of Weir's server: an authority of its own, and what it signs.

The operator makes both at its first start and renews them after two thirds of their life. A Secret
that somebody else made (cert-manager, for example) is used as it is.
"""

import asyncio
import base64
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists, ClusterError, NotFound
from weir.cluster.kinds import CONFIG_MAPS, SECRETS, Kind

logger = logging.getLogger(__name__)

SERVER_NAME = "weir-server"
AUTHORITY_SECRET = "weir-ca"
AUTHORITY_CONFIG_MAP = "weir-server-ca"
_AUTHORITY_LIFE = timedelta(days=3650)
_SERVER_LIFE = timedelta(days=365)
# Clocks of nodes differ.
_BACKDATED = timedelta(minutes=5)
_RETRY = 2.0
_CHECK_EVERY = 3600.0

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Pair:
    """A certificate and its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def certificate_pem(self) -> str:
        """The certificate as text."""
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """The key as text."""
        encoded = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return encoded.decode()


def make_authority(now: datetime) -> Pair:
    """Make an authority that signs servers' certificates."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "weir-ca")])
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    certificate = (
        _builder(name, name, key, now, _AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    return Pair(certificate, key)


def make_server(authority: Pair, hosts: list[str], now: datetime) -> Pair:
    """Make a server's certificate for these names."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0])])
    signer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.key.public_key())
    certificate = (
        _builder(name, authority.certificate.subject, key, now, _SERVER_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(signer, critical=False)
        .sign(authority.key, hashes.SHA256())
    )
    return Pair(certificate, key)


def is_due(certificate: x509.Certificate, now: datetime) -> bool:
    """Whether two thirds of a certificate's life are over."""
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return now >= begin + (end - begin) * 2 / 3


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATED)
        .not_valid_after(now + life)
    )


class CertificateKeeper:
    """Keeps the authority, the server's Secret, and a readable copy of the authority."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        namespace: str,
        secret: str,
        clock: Callable[[], datetime],
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._secret = secret
        self._clock = clock
        self.authority_pem = ""
        """What clients of the server trust; empty before `ensure`."""

    async def run(self) -> None:
        """Keep the certificates valid until cancelled."""
        while True:
            await asyncio.sleep(_CHECK_EVERY)
            await self.ensure_soon()

    async def ensure_soon(self) -> None:
        """Call `ensure` until it succeeds."""
        while True:
            try:
                return await self.ensure()
            except ClusterError as error:
                logger.warning("No certificates yet", extra={"error": error.message[:300]})
                await asyncio.sleep(_RETRY)

    async def ensure(self) -> None:
        """Make or renew what is missing or due. Raises ClusterError."""
        current = await self._read(SECRETS, self._secret)
        if current is None or _is_ours(current):
            current = await self._renewed(current)
        self.authority_pem = _text(current, "ca.crt")
        await self._publish()

    async def _renewed(self, current: JsonObject | None) -> JsonObject:
        now = self._clock()
        authority, trusted = await self._authority(now)
        if current is not None and _text(current, "ca.crt") == trusted:
            served = x509.load_pem_x509_certificate(_text(current, "tls.crt").encode())
            if not is_due(served, now):
                return current
        hosts = [SERVER_NAME, f"{SERVER_NAME}.{self._namespace}.svc"]
        server = make_server(authority, hosts, now)
        content = {
            "ca.crt": trusted,
            "tls.crt": server.certificate_pem,
            "tls.key": server.key_pem,
        }
        logger.info("Server certificate made", extra={"secret": self._secret})
        return await self._write(self._secret, content, "kubernetes.io/tls", current)

    async def _authority(self, now: datetime) -> tuple[Pair, str]:
        """Return the authority that signs now, and the certificates that are to be trusted."""
        stored = await self._read(SECRETS, AUTHORITY_SECRET)
        before = _pair(stored) if stored is not None else None
        if stored is not None and before is not None and not is_due(before.certificate, now):
            return before, _text(stored, "ca.crt")
        authority = make_authority(now)
        # What the one before has signed is served until the server has its new certificate.
        trusted = authority.certificate_pem + (before.certificate_pem if before else "")
        content = {"ca.crt": trusted, "ca.key": authority.key_pem}
        stored = await self._write(AUTHORITY_SECRET, content, "Opaque", stored)
        made = _pair(stored)
        return made, _text(stored, "ca.crt")

    async def _publish(self) -> None:
        """Keep the authority where whoever is authenticated may read it."""
        current = await self._read(CONFIG_MAPS, AUTHORITY_CONFIG_MAP)
        data = {"ca.crt": self.authority_pem}
        if current is None:
            body = self._object(AUTHORITY_CONFIG_MAP, {"data": data})
            try:
                await self._cluster.create(CONFIG_MAPS, self._namespace, body)
            except AlreadyExists:
                return
        elif current.get("data") != data:
            await self._cluster.patch(
                CONFIG_MAPS, self._namespace, AUTHORITY_CONFIG_MAP, {"data": data}
            )

    async def _write(
        self, name: str, content: dict[str, str], kind: str, current: JsonObject | None
    ) -> JsonObject:
        data = {key: base64.b64encode(text.encode()).decode() for key, text in content.items()}
        if current is not None:
            version = current["metadata"]["resourceVersion"]
            body = {"metadata": {"resourceVersion": version}, "data": data}
            return await self._cluster.patch(SECRETS, self._namespace, name, body)
        body = self._object(name, {"type": kind, "data": data})
        try:
            return await self._cluster.create(SECRETS, self._namespace, body)
        except AlreadyExists:
            return await self._cluster.get(SECRETS, self._namespace, name)

    async def _read(self, kind: Kind, name: str) -> JsonObject | None:
        try:
            return await self._cluster.get(kind, self._namespace, name)
        except NotFound:
            return None

    def _object(self, name: str, content: JsonObject) -> JsonObject:
        labels = {names.MANAGED_BY_LABEL: names.MANAGED_BY}
        return {
            "metadata": {"name": name, "namespace": self._namespace, "labels": labels}
        } | content


def _is_ours(secret: JsonObject) -> bool:
    labels = secret["metadata"].get("labels") or {}
    return labels.get(names.MANAGED_BY_LABEL) == names.MANAGED_BY


def _text(secret: JsonObject, key: str) -> str:
    return base64.b64decode((secret.get("data") or {}).get(key, "")).decode()


def _pair(secret: JsonObject) -> Pair:
    certificate = x509.load_pem_x509_certificate(_text(secret, "ca.crt").encode())
    key = serialization.load_pem_private_key(_text(secret, "ca.key").encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return Pair(certificate, key)
