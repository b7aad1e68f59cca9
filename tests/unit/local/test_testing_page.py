"""The examples of docs/testing.md pass."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flow_api.testing import Result, Started, TestConnections, TestFlows
from tests.unit.local.test_plugin import ALONE

pytest_plugins = ["pytester"]

PAGE = (Path(__file__).parents[3] / "docs" / "testing.md").read_text()


def test_every_example_passes(pytester: pytest.Pytester) -> None:
    blocks = re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE, re.DOTALL)
    assert len(blocks) == len(re.findall("```python", PAGE))
    for name, source in blocks:
        path = pytester.path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(source)
    result = pytester.runpytest(*ALONE)
    result.assert_outcomes(passed=sum(source.count("def test_") for _, source in blocks))


@pytest.mark.parametrize("kind", [Result, Started, TestFlows, TestConnections])
def test_the_page_names_all_there_is(kind: type) -> None:
    names = {name for name in dir(kind) if not name.startswith("_")}
    names |= set(getattr(kind, "__annotations__", {}))
    # Of no use in a test, or explained where they are.
    names -= {"is_success", "walk", "source", "close", "told", "environment"}
    names -= {"clear", "get", "items", "keys", "pop", "popitem", "setdefault", "update", "values"}
    words = set(re.findall(r"\w+", PAGE))
    assert {name for name in names if not name.startswith("_")} - words == set()
