import json
import logging
from datetime import datetime

import pytest
from pydantic import ValidationError

from tests.builders import NOW
from tests.unit.controllers.fake_cluster import FakeCluster
from weir import logs
from weir.api.resource import JsonObject
from weir.cluster.kinds import LEASES, SERVICES
from weir.controllers.address import ServerAddress, address_of
from weir.controllers.health import Health
from weir.controllers.leadership import Leadership, LeadershipLost
from weir.controllers.settings import Settings
from weir.core.observed import Limits


def service(host: str | None, *ports: JsonObject) -> JsonObject:
    spec = {"clusterIP": host, "ports": list(ports)}
    return {"metadata": {"name": "weir-server", "namespace": "demo"}, "spec": spec}


@pytest.mark.parametrize(
    ("found", "address"),
    [
        pytest.param(service("10.0.0.7", {"port": 8443}), "10.0.0.7:8443", id="its only port"),
        pytest.param(
            service("10.0.0.7", {"name": "http", "port": 80}, {"name": "https", "port": 443}),
            "10.0.0.7:443",
            id="the port called https",
        ),
        pytest.param(service("fd00::7", {"port": 8443}), "[fd00::7]:8443", id="IPv6"),
    ],
)
def test_a_service_has_an_address(found: JsonObject, address: str) -> None:
    assert address_of(found) == address


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(service("None", {"port": 8443}), id="headless"),
        pytest.param(service(None, {"port": 8443}), id="not assigned yet"),
        pytest.param(service("10.0.0.7"), id="no port"),
    ],
)
def test_a_service_may_have_none(found: JsonObject) -> None:
    with pytest.raises(LookupError, match="weir-server has no clusterIP and port"):
        address_of(found)


async def test_a_fixed_address_is_never_looked_up() -> None:
    address = ServerAddress(FakeCluster(), namespace="demo", service="x", fixed="here:1")
    await address.find()

    assert address.value == "here:1"


async def test_an_address_is_looked_up() -> None:
    cluster = FakeCluster()
    cluster.put(SERVICES, service("10.0.0.7", {"port": 8443}))
    address = ServerAddress(cluster, namespace="demo", service="weir-server")
    await address.find()

    assert address.value == "10.0.0.7:8443"


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_WATCH_NAMESPACES", "a, b,")
    monkeypatch.setenv("WEIR_RUNNER_RESOURCES", '{"limits": {"memory": "1Gi"}}')
    monkeypatch.setenv("WEIR_MAX_DEPTH", "7")
    settings = Settings()

    assert settings.watch_namespaces == ["a", "b"]
    assert settings.scopes == ["a", "b"]
    assert settings.runner_resources == {"limits": {"memory": "1Gi"}}
    assert settings.limits == Limits(max_depth=7, max_attempts=5)


def test_without_namespaces_all_are_served(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEIR_WATCH_NAMESPACES", "")

    assert Settings().scopes == [None]


@pytest.mark.parametrize(
    ("name", "value"),
    [("WEIR_MAX_RUNNING", "-1"), ("WEIR_LOG_FORMAT", "xml"), ("WEIR_LEASE_SECONDS", "0")],
)
def test_wrong_settings_are_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError):
        Settings()


@pytest.mark.parametrize(
    ("path", "status"),
    [("/healthz", 200), ("/readyz", 503), ("/metrics", 200), ("/other", 404)],
)
def test_a_page_has_a_status(path: str, status: int) -> None:
    assert Health().answer(path)[0] == status


def test_health_is_what_its_parts_say() -> None:
    health = Health()
    health.is_alive, health.is_ready = lambda: False, lambda: True
    health.numbers = lambda: {("weir_x_total", ""): 3, ("weir_y", 'a="b"'): 0.5}

    assert health.answer("/healthz")[0] == 503
    assert health.answer("/readyz")[0] == 200
    assert health.answer("/metrics")[1] == (
        '# TYPE weir_x_total counter\nweir_x_total 3\n# TYPE weir_y gauge\nweir_y{a="b"} 0.5\n'
    )


@pytest.fixture
def record() -> logging.LogRecord:
    made = logging.LogRecord("weir.x", logging.INFO, "x.py", 1, "Moved %s", ("on",), None)
    made.attempt = 2
    return made


def test_a_line_of_json_has_its_facts_as_fields(record: logging.LogRecord) -> None:
    line = json.loads(logs.JsonFormatter().format(record))

    assert line["message"] == "Moved on"
    assert line["level"] == "info"
    assert line["attempt"] == 2


def test_a_plain_line_has_them_at_its_end(record: logging.LogRecord) -> None:
    assert logs.PlainFormatter().format(record).endswith("INFO    Moved on attempt=2")


def test_an_exception_follows_its_line(record: logging.LogRecord) -> None:
    error = ValueError("boom")
    record.exc_info = (ValueError, error, None)

    assert "ValueError: boom" in logs.PlainFormatter().format(record)
    assert "ValueError: boom" in json.loads(logs.JsonFormatter().format(record))["exception"]


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def candidate(cluster: FakeCluster, identity: str, seconds: int = 1) -> Leadership:
    return Leadership(
        cluster,
        namespace="demo",
        name="weir-operator",
        identity=identity,
        seconds=seconds,
        clock=Clock(),
    )


def holder(cluster: FakeCluster) -> str:
    return str(cluster.find(LEASES, "weir-operator")["spec"]["holderIdentity"])


async def test_a_lease_has_one_holder_until_it_is_given_back() -> None:
    cluster = FakeCluster()
    one, other = candidate(cluster, "one", 60), candidate(cluster, "other", 60)
    await one.acquire()
    assert not await other.try_once()
    await one.release()
    assert holder(cluster) == ""
    await other.acquire()

    assert holder(cluster) == "other"
    assert not one.leads
    assert other.leads


async def test_a_lease_that_is_not_renewed_is_taken_over() -> None:
    cluster = FakeCluster()
    await candidate(cluster, "one").acquire()
    other = candidate(cluster, "other")
    await other.acquire()  # waits for the one second

    assert holder(cluster) == "other"


async def test_who_lost_the_lease_is_told() -> None:
    cluster = FakeCluster()
    leader = candidate(cluster, "one")
    await leader.acquire()
    cluster.change(LEASES, "weir-operator", {"spec": {"holderIdentity": "other"}})

    with pytest.raises(LeadershipLost):
        await leader.keep()
    assert not leader.leads


async def test_giving_back_what_one_does_not_hold_does_nothing() -> None:
    cluster = FakeCluster()
    await candidate(cluster, "one").release()

    assert cluster.writes == []
