"""What an author sees of a mistake: on the object, and in the log."""

import pytest

from tests.e2e.given import Given
from tests.e2e.test_cli import Command
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World


@pytest.mark.parametrize(
    ("line", "message"),
    [
        pytest.param(
            "this.flow()",
            r"TypeError: Execution\.flow\(\) missing .* \(line 3\); hint: name the flow first: ",
            id="a flow without its name",
        ),
        pytest.param(
            "this.get('output')", r"\(line 3\); hint: did you mean 'output_value'\?$", id="a field"
        ),
        pytest.param(
            "child = this.flow('silent'); child.get('output_value')['rows']",
            r"KeyError: 'rows' \(line 3\); hint: '.*' has no outputs: its handler is to return",
            id="outputs that a child forgot",
        ),
    ],
)
async def test_a_hint_stands_on_the_object(
    given: Given, when: When, then: Then, line: str, message: str
) -> None:
    await given.flow("silent", "def handler(system, this):\n    {'rows': 5}\n")
    await given.flow("mistaken", f"import flow_api\ndef handler(system, this):\n    {line}\n")
    run = await when.executed("mistaken")
    await then(run).fails("ScriptError", message=message)


async def test_the_log_has_the_scripts_lines_marked_and_a_hint(world: World, given: Given) -> None:
    weir = Command(world)
    script = (
        "import datetime\n\ndef handler(system, this):\n"
        "    outputs = this.set_output('when', datetime.datetime(2026, 1, 1))\n"
    )
    await given.flow("dated", script)
    call = await weir("run", "dated", "--name", "marked", "--wait")
    assert call.code == 1
    log = await weir("logs", "marked")
    assert (
        'File "dated.py", line 4, in handler\n'
        "    outputs = this.set_output('when', datetime.datetime(2026, 1, 1))\n"
        "              ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^" in log.out
    )
    assert log.out.count("File ") == 1
    assert log.out.endswith("hint: convert a datetime by .isoformat()\n")
