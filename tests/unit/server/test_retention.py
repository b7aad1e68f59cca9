"""Which trees have been kept for long enough."""

from datetime import UTC, datetime, timedelta

import pytest

from weir.core.retention import Tree, due

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def tree(name: str, hours_ago: float, *, ttl: str = "24h", namespace: str = "a") -> Tree:
    return Tree((namespace, name), f"uid-{name}", NOW - timedelta(hours=hours_ago), ttl)


@pytest.mark.parametrize(
    ("trees", "most", "expected"),
    [
        pytest.param([tree("x", 23)], 10, [], id="not yet"),
        pytest.param([tree("x", 24)], 10, ["x"], id="its time is over to the second"),
        pytest.param([tree("x", 2, ttl="1h")], 10, ["x"], id="its own time"),
        pytest.param(
            [tree("new", 1), tree("old", 3), tree("mid", 2)],
            1,
            ["old", "mid"],
            id="of too many the first to end go first",
        ),
        pytest.param(
            [tree("x", 1), tree("y", 2, namespace="b")], 1, [], id="each namespace has its share"
        ),
        pytest.param([tree("x", 0)], 0, ["x"], id="none are to be kept"),
    ],
)
def test_due(trees: list[Tree], most: int, expected: list[str]) -> None:
    assert [one.key[1] for one in due(trees, now=NOW, most=most)] == expected
