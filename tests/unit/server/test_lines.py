"""The line before a lock: who came first goes first, and who does not come back loses its place."""

import pytest

from weir.server.lines import GRACE, Lines


@pytest.fixture
def lines() -> Lines:
    lines = Lines()
    lines.join("lock", "second", since=2.0)
    lines.join("lock", "first", since=1.0)
    return lines


def test_who_came_first_has_nobody_ahead(lines: Lines) -> None:
    assert lines.ahead("lock", "first", now=10.0) is None
    assert lines.ahead("lock", "second", now=10.0) == GRACE


def test_a_line_belongs_to_one_lock(lines: Lines) -> None:
    lines.join("other", "third", since=3.0)
    assert lines.ahead("other", "third", now=10.0) is None


def test_of_two_that_came_at_once_one_goes_first(lines: Lines) -> None:
    lines.join("lock", "a-first", since=1.0)
    assert lines.ahead("lock", "a-first", now=10.0) is None
    assert lines.ahead("lock", "first", now=10.0) == GRACE


def test_who_leaves_lets_the_next_one_go(lines: Lines) -> None:
    lines.leave("lock", "first")
    assert lines.ahead("lock", "second", now=10.0) is None
    lines.leave("lock", "second")
    lines.join("lock", "third", since=3.0)
    assert lines.ahead("lock", "third", now=10.0) is None


def test_a_place_is_kept_for_a_moment(lines: Lines) -> None:
    lines.pause("lock", "first", now=10.0)
    assert lines.ahead("lock", "second", now=10.5) == pytest.approx(GRACE - 0.5)
    lines.join("lock", "first", since=1.0)
    assert lines.ahead("lock", "second", now=100.0) == GRACE


def test_who_does_not_come_back_has_lost_its_place(lines: Lines) -> None:
    lines.pause("lock", "first", now=10.0)
    assert lines.ahead("lock", "second", now=10.0 + GRACE) is None


def test_a_run_that_asks_twice_stands_in_line_once_until_both_have_left(lines: Lines) -> None:
    lines.join("lock", "first", since=1.0)
    lines.leave("lock", "first")
    assert lines.ahead("lock", "second", now=10.0) == GRACE
    lines.leave("lock", "first")
    assert lines.ahead("lock", "second", now=10.0) is None
