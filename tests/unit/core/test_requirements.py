"""Which lines of spec.requirements can be installed."""

import pytest

from weir.core.requirements import problem_with


@pytest.mark.parametrize(
    "lines",
    [
        pytest.param([], id="none"),
        pytest.param(["requests"], id="a name"),
        pytest.param(["requests[socks]>=2.32,<3", "PyYAML==6.0.2"], id="extras and versions"),
        pytest.param(["tomli; python_version < '3.11'"], id="a marker"),
        pytest.param(["own @ https://example.com/own-1.0-py3-none-any.whl"], id="an address"),
        pytest.param(
            ["a==1; python_version < '3.12'", "a==2; python_version >= '3.12'"], id="by version"
        ),
    ],
)
def test_these_are_requirements(lines: list[str]) -> None:
    assert problem_with(lines) is None


@pytest.mark.parametrize(
    ("lines", "text"),
    [
        pytest.param(["requests >= "], "is no requirement", id="a version that is missing"),
        pytest.param(["not a name"], "is no requirement", id="blanks"),
        pytest.param(["-r requirements.txt"], "is an option", id="an option"),
        pytest.param(["a>=1", "A<2"], "asks for what 'a>=1' asks for", id="the same twice"),
        pytest.param(["a" * 501], "more than 500 characters", id="too long"),
    ],
)
def test_these_are_none(lines: list[str], text: str) -> None:
    problem = problem_with(lines)
    assert problem is not None
    assert text in problem
