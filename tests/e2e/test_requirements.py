"""Third-party modules of a flow, from a wheelhouse on the node's volume."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest

from charts.install import MODULES_FOLDER
from tests.e2e.given import Given
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.wheels import wheel

pytestmark = pytest.mark.own_node


@pytest.fixture
def module() -> Iterator[str]:
    """A module that no run has asked for before, as a wheel."""
    name = f"weir_sample_{uuid.uuid4().hex[:8]}"
    path = wheel(MODULES_FOLDER / "wheels", name, "1.5")
    yield name
    path.unlink()


async def test_a_flow_has_the_modules_that_it_asks_for(
    given: Given, when: When, then: Then, module: str
) -> None:
    script = f"""
        import {module}, yaml

        def handler(system, this):
            return {{'version': {module}.VERSION, 'yaml': yaml.__name__}}
    """
    await given.flow("modern", script, requirements=[f"{module}>=1"])
    first = await when.executed("modern")
    await then(first).succeeds(outputs={"version": "1.5", "yaml": "yaml"})
    # The environment is kept: the wheel is not needed again.
    second = await when.executed("modern")
    await then(second).succeeds(outputs={"version": "1.5", "yaml": "yaml"})


async def test_what_cannot_be_installed_fails_the_run_and_says_why(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("lost", "def handler(system, this): pass", requirements=["weir-no-such"])
    run = await when.executed("lost")
    await then(run).fails("NotInstalled", message="weir-no-such")


async def test_a_requirement_that_is_none_makes_the_flow_unready(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("odd", "def handler(system, this): pass", requirements=["not a name"])
    await then.flow_is_refused("odd", "InvalidRequirements", "not a name")
