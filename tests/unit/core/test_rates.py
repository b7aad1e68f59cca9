"""Rates of requests."""

from weir.core.rates import Rates


def test_a_burst_is_taken_and_then_what_comes_in_time() -> None:
    rates = Rates()
    taken = [rates.wait("a", 0.0, per_minute=60, burst=3) for _ in range(4)]
    assert taken == [0, 0, 0, 1]
    assert rates.wait("a", 0.5, per_minute=60, burst=3) == 0.5
    assert rates.wait("a", 1.0, per_minute=60, burst=3) == 0
    assert rates.wait("a", 1.0, per_minute=60, burst=3) == 1


def test_a_bucket_holds_no_more_than_a_burst() -> None:
    rates = Rates()
    rates.wait("a", 0.0, per_minute=60, burst=2)
    assert [rates.wait("a", 9e9, per_minute=60, burst=2) > 0 for _ in range(3)] == [
        False,
        False,
        True,
    ]


def test_a_clock_that_goes_back_gives_and_takes_nothing() -> None:
    rates = Rates()
    assert rates.wait("a", 100.0, per_minute=60, burst=1) == 0
    assert rates.wait("a", 50.0, per_minute=60, burst=1) == 1
    assert rates.wait("a", 51.0, per_minute=60, burst=1) == 0


def test_keys_have_buckets_of_their_own_and_the_oldest_is_forgotten() -> None:
    rates = Rates(most=2)
    assert rates.wait("a", 0.0, per_minute=1, burst=1) == 0
    assert rates.wait("b", 0.0, per_minute=1, burst=1) == 0
    assert rates.wait("a", 0.0, per_minute=1, burst=1) > 0
    assert rates.wait("c", 0.0, per_minute=1, burst=1) == 0
    assert rates.wait("b", 0.0, per_minute=1, burst=1) == 0
