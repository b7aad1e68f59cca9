from typing import Any

import pytest

from tests.builders import NOW, after
from weir.core.leadership import held, may_take, released

LEASE: dict[str, Any] = {
    "metadata": {"name": "weir-operator", "namespace": "weir", "resourceVersion": "7"},
    "spec": {
        "holderIdentity": "a",
        "leaseDurationSeconds": 15,
        "acquireTime": "2026-11-24T11:00:00.000000Z",
        "leaseTransitions": 3,
    },
}


def take(lease: dict[str, Any] | None, identity: str) -> dict[str, Any]:
    return held(
        lease, name="weir-operator", namespace="weir", identity=identity, seconds=15, now=NOW
    )


@pytest.mark.parametrize(
    ("lease", "unchanged_for", "may"),
    [
        pytest.param(None, 0, True, id="a Lease that nobody made"),
        pytest.param({"spec": {"holderIdentity": ""}}, 0, True, id="one that was given back"),
        pytest.param({}, 0, True, id="an empty one"),
        pytest.param({"spec": {"holderIdentity": "b"}}, 0, True, id="one's own, after a restart"),
        pytest.param(LEASE, 14.9, False, id="another's that may be renewed yet"),
        pytest.param(LEASE, 15, True, id="another's that has not changed for its duration"),
    ],
)
def test_a_lease_may_be_taken(
    lease: dict[str, Any] | None, unchanged_for: float, may: bool
) -> None:
    assert may_take(lease, "b", unchanged_for) is may


def test_a_first_holder_makes_the_lease() -> None:
    made = take(None, "a")

    assert made["metadata"]["name"] == "weir-operator"
    assert "resourceVersion" not in made["metadata"]
    assert made["spec"]["holderIdentity"] == "a"
    assert made["spec"]["leaseTransitions"] == 1


def test_a_renewal_keeps_when_it_was_acquired() -> None:
    renewed = take(LEASE, "a")

    assert renewed["metadata"]["resourceVersion"] == "7"
    assert renewed["spec"]["acquireTime"] == "2026-11-24T11:00:00.000000Z"
    assert renewed["spec"]["renewTime"] == "2026-11-24T12:00:00.000000Z"
    assert renewed["spec"]["leaseTransitions"] == 3


def test_a_change_of_holder_is_counted_and_guarded_by_the_version() -> None:
    taken = take(LEASE, "b")

    assert taken["metadata"]["resourceVersion"] == "7"
    assert taken["spec"]["acquireTime"] == "2026-11-24T12:00:00.000000Z"
    assert taken["spec"]["leaseTransitions"] == 4


def test_a_released_lease_has_no_holder() -> None:
    given_back = released(LEASE, after(1))

    assert given_back["metadata"]["resourceVersion"] == "7"
    assert given_back["spec"]["holderIdentity"] == ""
