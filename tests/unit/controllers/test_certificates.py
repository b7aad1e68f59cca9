import base64
from datetime import datetime, timedelta

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from tests.builders import NOW
from tests.unit.controllers.fake_cluster import FakeCluster
from weir.api.resource import JsonObject
from weir.cluster.kinds import CONFIG_MAPS, SECRETS
from weir.controllers.certificates import CertificateKeeper, is_due, make_authority, make_server


class Keeper:
    """A keeper with a clock, over a cluster in memory."""

    def __init__(self) -> None:
        self.cluster = FakeCluster()
        self.now = NOW
        self.keeper = CertificateKeeper(
            self.cluster, namespace="demo", secret="weir-server-tls", clock=self.clock
        )

    def clock(self) -> datetime:
        return self.now

    def text(self, secret: str, key: str) -> str:
        data: JsonObject = self.cluster.find(SECRETS, secret)["data"]
        return base64.b64decode(data[key]).decode()

    def served(self) -> x509.Certificate:
        return x509.load_pem_x509_certificate(self.text("weir-server-tls", "tls.crt").encode())

    def trusted(self) -> list[x509.Certificate]:
        pem = self.text("weir-server-tls", "ca.crt").encode()
        return x509.load_pem_x509_certificates(pem)


async def test_authority_and_certificate_are_made_once() -> None:
    kept = Keeper()
    await kept.keeper.ensure()
    before = list(kept.cluster.writes)
    await kept.keeper.ensure()

    assert before == ["create secrets", "create secrets", "create configmaps"]
    assert kept.cluster.writes == before
    assert "PRIVATE KEY" in kept.text("weir-ca", "ca.key")
    assert "PRIVATE KEY" in kept.text("weir-server-tls", "tls.key")
    assert "ca.key" not in kept.cluster.find(SECRETS, "weir-server-tls")["data"]


async def test_the_authority_is_where_anybody_may_read_it() -> None:
    kept = Keeper()
    await kept.keeper.ensure()
    published = kept.cluster.find(CONFIG_MAPS, "weir-server-ca")["data"]["ca.crt"]
    kept.cluster.change(CONFIG_MAPS, "weir-server-ca", {"data": {"ca.crt": "forged"}})
    await kept.keeper.ensure()

    assert published == kept.keeper.authority_pem == kept.text("weir-server-tls", "ca.crt")
    assert kept.cluster.find(CONFIG_MAPS, "weir-server-ca")["data"]["ca.crt"] == published


async def test_the_certificate_is_for_the_server_and_signed_by_the_authority() -> None:
    kept = Keeper()
    await kept.keeper.ensure()
    served, (authority,) = kept.served(), kept.trusted()
    names = served.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    assert isinstance(names, x509.SubjectAlternativeName)

    served.verify_directly_issued_by(authority)
    assert names.get_values_for_type(x509.DNSName) == ["weir-server", "weir-server.demo.svc"]


async def test_a_certificate_is_renewed_after_two_thirds_of_its_life() -> None:
    kept = Keeper()
    await kept.keeper.ensure()
    first, trusted = kept.served(), kept.keeper.authority_pem
    kept.now = NOW + timedelta(days=250)
    await kept.keeper.ensure()

    assert kept.served().serial_number != first.serial_number
    assert kept.keeper.authority_pem == trusted


async def test_a_new_authority_is_trusted_beside_the_old_one() -> None:
    kept = Keeper()
    await kept.keeper.ensure()
    (old,) = kept.trusted()
    kept.now = NOW + timedelta(days=2500)
    await kept.keeper.ensure()
    new, *others = kept.trusted()

    assert others == [old]
    kept.served().verify_directly_issued_by(new)


async def test_a_secret_that_somebody_else_made_is_used_as_it_is() -> None:
    kept = Keeper()
    authority = make_authority(NOW)
    server = make_server(authority, ["weir-server"], NOW)
    data = {
        "ca.crt": authority.certificate_pem,
        "tls.crt": server.certificate_pem,
        "tls.key": server.key_pem,
    }
    encoded = {key: base64.b64encode(text.encode()).decode() for key, text in data.items()}
    metadata = {"name": "weir-server-tls", "namespace": "demo", "uid": "theirs"}
    kept.cluster.put(SECRETS, {"metadata": metadata, "data": encoded})
    await kept.keeper.ensure()

    assert kept.keeper.authority_pem == authority.certificate_pem
    assert kept.cluster.writes == ["create configmaps"]


@pytest.mark.parametrize(
    ("days", "due"),
    [
        pytest.param(0, False, id="fresh"),
        pytest.param(243, False, id="in its first two thirds"),
        pytest.param(244, True, id="in its last third"),
        pytest.param(400, True, id="over"),
    ],
)
def test_renewal_is_due(days: int, due: bool) -> None:
    certificate = make_server(make_authority(NOW), ["weir-server"], NOW).certificate

    assert is_due(certificate, NOW + timedelta(days=days)) is due
