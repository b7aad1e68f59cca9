"""Inputs and outputs: large ones, wrong ones, and those that nobody may see."""

import pytest

from tests.e2e.given import Given
from tests.e2e.then import Then
from tests.e2e.when import When
from tests.e2e.world import World
from weir.cluster.errors import Invalid

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
NOTHING = "def handler(system, this): pass"


async def test_large_outputs_are_kept_by_the_server_and_read_by_the_parent(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("large", "def handler(system, this): return {'text': 'x' * 2_000_000}")
    run = await when.executed(
        script="def handler(system, this): "
        "return {'length': len(this.flow('large').get('output_value')['text'])}"
    )
    await then(run).succeeds(outputs={"length": 2_000_000})
    (child,) = run.children
    assert "outputs" not in child.status
    assert child.status["outputsRef"]["bytes"] > 2_000_000
    assert len(child.status["outputsRef"]["digest"]) == 64


async def test_large_inputs_reach_a_child(given: Given, when: When, then: Then) -> None:
    await given.flow("length", "def handler(system, this, inputs): return {'is': len(inputs['t'])}")
    run = await when.executed(
        script="def handler(system, this): "
        "return this.flow('length', t='x' * 1_000_000).get('output_value')"
    )
    await then(run).succeeds(outputs={"is": 1_000_000})
    (child,) = run.children
    assert child.object["spec"]["inputsRef"]["bytes"] > 1_000_000


async def test_outputs_beyond_the_limit_fail_the_run(when: When, then: Then) -> None:
    run = await when.executed(script="def handler(system, this): return {'text': 'x' * 17 * 2**20}")
    await then(run).fails("OutputTooLarge", message="(?i)output")


async def test_outputs_that_are_no_json_fail_the_run_and_name_key_and_line(
    when: When, then: Then
) -> None:
    run = await when.executed(
        script="def handler(system, this):\n    this.set_output('x', object())\n"
    )
    await then(run).fails("InvalidOutputs", message=r"output_value\['x'\].*JSON.*\(line 2\)")


async def test_a_returned_value_that_is_no_json_fails_the_run(when: When, then: Then) -> None:
    run = await when.executed(script="def handler(system, this): return {'x': {1, 2}}")
    await then(run).fails(message="(?i)json")


async def test_inputs_that_do_not_fit_the_schema_fail_the_run_before_it_has_a_pod(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("typed", NOTHING, input_schema=SCHEMA)
    run = await when.executed("typed", inputs={"n": "two"})
    await then(run).fails("InvalidInputs", message="n.*integer|integer.*n")
    assert "attempt" not in run.status


async def test_inputs_that_fit_the_schema_are_taken(given: Given, when: When, then: Then) -> None:
    await given.flow("typed", NOTHING, input_schema=SCHEMA)
    await then(await when.executed("typed", inputs={"n": 2})).succeeds()


async def test_outputs_that_do_not_fit_the_schema_fail_the_run(
    given: Given, when: When, then: Then
) -> None:
    await given.flow("typed", "def handler(system, this): return {}", output_schema=SCHEMA)
    run = await when.executed("typed")
    await then(run).fails("InvalidOutputs", message="outputs: lacks n")


async def test_a_schema_that_is_none_makes_the_flow_not_ready(given: Given, then: Then) -> None:
    await given.flow("typed", NOTHING, input_schema={"type": "strange"})
    await then.flow_is_refused("typed", "InvalidSchema", "strange")


@pytest.mark.parametrize("inputs", ["text", ["a", "list"], 7])
async def test_inputs_that_are_no_object_are_refused_by_the_api_server(
    when: When, inputs: object
) -> None:
    with pytest.raises(Invalid, match=r"spec\.inputs"):
        await when.executed("any", inputs=inputs)  # type: ignore[arg-type]


async def test_inputs_that_are_too_large_fail_the_run(given: Given, when: When, then: Then) -> None:
    await given.flow("any", NOTHING)
    run = await when.executed("any", inputs={"text": "x" * 70_000})
    await then(run).fails("InputsTooLarge", message="65536")


async def test_protected_values_reach_the_script_and_nobody_else(
    world: World, given: Given, when: When, then: Then
) -> None:
    await given.flow(
        "keeps",
        """
        def handler(system, this, inputs):
            this.log('the password is', inputs['password'])
            this.set_output('length', len(inputs['password']))
            this.set_output('key', inputs['password'][::-1])
        """,
    )
    run = await when.executed(
        script="""
        def handler(system, this):
            child = this.flow(
                'keeps', password='top-secret', protect_inputs=['password'], protect_outputs=['key']
            )
            return {'same': child.get('output_value')['key'] == 'terces-pot'}
        """
    )
    await then(run).succeeds(outputs={"same": True})
    (child,) = run.children
    assert child.status["outputs"]["length"] == len("top-secret")
    shown = await world.installation.kubectl(
        "get", "executions", f"--namespace={world.namespace}", child.name, "-o=yaml"
    )
    assert "top-secret" not in shown
    assert "terces-pot" not in shown
