import time

import pytest

from tests.builders import after
from weir.core.queueing import Load, Place, Ticket, place_of, turns

HELLO, OTHER = ("demo", "hello"), ("demo", "other")


def ticket(uid: str, *, flow: tuple[str, str] | None = HELLO, priority: int = 0) -> Ticket:
    return Ticket(-priority, after(int(uid.strip("abc"))), uid, flow)


def load(
    *,
    active: dict[tuple[str, str], int] | None = None,
    limits: dict[tuple[str, str], int] | None = None,
    cluster: int = 0,
) -> Load:
    active = active or {}
    return Load(active, sum(active.values()), limits or {}, cluster)


A, B, C = ticket("a1"), ticket("b2"), ticket("c3")


@pytest.mark.parametrize(
    ("waiting", "state", "first"),
    [
        pytest.param([B, A], load(), ["a1", "b2"], id="without limits all may start, oldest first"),
        pytest.param([A, B, C], load(limits={HELLO: 2}), ["a1", "b2"], id="as many as the limit"),
        pytest.param(
            [A, B], load(active={HELLO: 1}, limits={HELLO: 2}), ["a1"], id="what runs is counted"
        ),
        pytest.param([A, B], load(active={HELLO: 3}, limits={HELLO: 2}), [], id="more than full"),
        pytest.param(
            [A, ticket("b2", priority=5)], load(limits={HELLO: 1}), ["b2"], id="priority goes first"
        ),
        pytest.param(
            [A, ticket("b2", flow=OTHER)],
            load(active={HELLO: 1}, limits={HELLO: 1}),
            ["b2"],
            id="a Flow that is full lets others pass",
        ),
        pytest.param([A, B, C], load(cluster=2), ["a1", "b2"], id="the installation has a limit"),
        pytest.param(
            [A, B, ticket("c3", flow=OTHER)],
            load(limits={HELLO: 1}, cluster=2),
            ["a1", "c3"],
            id="both limits hold together",
        ),
        pytest.param([ticket("a1", flow=None)], load(cluster=1), ["a1"], id="what has no Flow"),
    ],
)
def test_places_are_given_in_order(waiting: list[Ticket], state: Load, first: list[str]) -> None:
    assert turns(waiting, state) == first


@pytest.mark.parametrize(
    ("waiting", "state", "place"),
    [
        pytest.param([], load(), Place.FREE, id="no limit, no queue"),
        pytest.param([A], load(active={OTHER: 9}), Place.FREE, id="others do not matter"),
        pytest.param(
            [], load(active={HELLO: 1}, limits={HELLO: 1}), Place.FLOW_LIMIT, id="the Flow is full"
        ),
        pytest.param(
            [], load(active={OTHER: 2}, cluster=2), Place.CLUSTER_LIMIT, id="the cluster is full"
        ),
        pytest.param([A], load(limits={HELLO: 1}), Place.FLOW_LIMIT, id="an older one goes first"),
        pytest.param([A], load(cluster=1), Place.CLUSTER_LIMIT, id="in the cluster as well"),
        pytest.param([A], load(limits={HELLO: 2}), Place.FREE, id="there is a place for both"),
        pytest.param([C], load(limits={HELLO: 1}), Place.FREE, id="a younger one has to wait"),
        pytest.param([B], load(limits={HELLO: 1}), Place.FREE, id="it may be in the queue already"),
    ],
)
def test_a_run_has_a_place_or_not(waiting: list[Ticket], state: Load, place: Place) -> None:
    assert place_of(B, waiting, state) == place


def test_a_queue_of_five_thousand_is_cheap() -> None:
    waiting = [Ticket(0, after(number), f"x{number}", HELLO) for number in range(5000)]
    full = load(active={HELLO: 5}, limits={HELLO: 5}, cluster=10)
    free = load(active={HELLO: 4}, limits={HELLO: 5}, cluster=10)

    begin = time.perf_counter()
    for one in waiting:
        assert place_of(one, waiting, full) == Place.FLOW_LIMIT
    assert turns(waiting, free) == ["x0"]

    assert time.perf_counter() - begin < 1.0  # all looks of a full queue, and one place given
