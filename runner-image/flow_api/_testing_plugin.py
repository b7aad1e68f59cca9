"""The pytest plugin: the fixture `flows`, and what a failed test shows of its runs."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from flow_api.testing._flows import TestFlows


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option and the setting."""
    parser.getgroup("flows").addoption(
        "--flows-record",
        choices=("once", "none", "all"),
        default="once",
        help="Cassettes of connections: record what is not there yet (once, the default), never "
        "(none), or all anew (all).",
    )
    parser.addini("flows_folder", "Folder whose *.py files are flows in every test.", default="")


@pytest.fixture
def flows(request: pytest.FixtureRequest) -> Iterator[TestFlows]:
    """Run flows without a cluster; see docs/testing.md."""
    from flow_api.testing._flows import TestFlows

    config = request.config
    fixture = TestFlows(
        config.rootpath, beside=request.path.parent, record=config.getoption("--flows-record")
    )
    folder = config.getini("flows_folder")
    if folder:
        fixture.add_folder(config.rootpath / folder)
    yield fixture
    fixture.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the runs of a test that failed."""
    report = yield
    fixture: Any = getattr(item, "funcargs", {}).get("flows")
    if report.when == "call" and report.failed and hasattr(fixture, "told"):
        for title, text in fixture.told():
            report.sections.append((title, text))
    return report
