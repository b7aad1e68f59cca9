"""The pytest plugin, in tests of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

import pytest

import flow_api
from flow_api.testing import NothingHappens, Result, TestFlows
from weir_connectors import git

pytest_plugins = ["pytester"]

# The other plugins of this environment have nothing to do with it.
ALONE = ("-p", "no:asyncio", "-p", "no:hypothesispytest", "-p", "no:cacheprovider")

NIGHTLY = """
import flow_api

def handler(system, this, inputs):
    backup = this.using('retry', max_tries=2, delay_sec=600).flow('backup', database='orders')
    rows = this.connect('orders', query='select count(*)').get('output_value')['count']
    answer = this.message('Delete the old ones?', request='yes or no', timeout=3600)
    if answer.get('response')['string'] == 'yes':
        system.setting('deleted').save(value=rows - system.setting('kept').get('value'))
        system.file('report.txt').save_text_content(f'{rows} rows')
    this.log('done', size=backup.get('output_value')['size'])
    return {'rows': rows}
"""


def test_a_flow_meets_what_the_test_prepared(flows: TestFlows) -> None:
    flows.add("nightly", NIGHTLY)
    backup = flows.stub("backup", flow_api.ExecutionError("disk full"), {"size": 12})
    flows.connections["orders"] = lambda inputs: {"count": len(inputs["query"])}
    flows.answers["Delete the old ones?"] = "yes"
    flows.settings["kept"] = 5
    flows.files["old.txt"] = "old"

    run = flows.run("nightly")

    assert run.status == "ENDED_SUCCESS"
    assert run.outputs == {"rows": 15}
    assert run.slept == 600
    assert run.log[-1] == 'done {"size": 12}'
    assert backup.calls == [{"database": "orders"}] * 2
    assert [child.status for child in run.children][:2] == ["ENDED_ERROR", "ENDED_SUCCESS"]
    assert run.children[0].message == "disk full"
    assert flows.connections.calls == [("orders", {"query": "select count(*)"})]
    assert flows.settings["deleted"] == 10
    assert dict(flows.files) == {"old.txt": b"old", "report.txt": b"15 rows"}
    assert [(one.subject, one.response) for one in flows.messages] == [
        ("Delete the old ones?", {"string": "yes"})
    ]


def test_a_message_that_nobody_answers_is_told(flows: TestFlows) -> None:
    flows.add("ask", "def handler(system, this):\n    this.message('Go?', request='text')\n")
    with pytest.raises(NothingHappens, match=r"an answer to the message 'Go\?'"):
        flows.run("ask")


def test_a_run_can_be_looked_at_and_ended_on_its_way(flows: TestFlows) -> None:
    @flows.flow("steps")
    def steps(system: flow_api.System, this: flow_api.Execution) -> None:
        for number in range(100):
            this.save(message=f"step {number}")
            this.sleep(60)

    started = flows.start("steps")
    assert not started.wait(90)
    assert started.status == "WAITING"
    started.pause()
    assert not started.wait(3600)
    assert started.status == "PAUSED"
    started.resume()
    started.cancel()
    run = started.result()
    assert (run.status, run.message) == ("ENDED_CANCELLED", "cancelled on request")
    assert run.slept == 120


def test_the_error_is_the_exception_itself(flows: TestFlows) -> None:
    def main(system: flow_api.System, this: flow_api.Execution) -> None:
        raise KeyError("rows")

    run = flows.run(main)
    assert isinstance(run.error, KeyError)
    assert run.message is not None
    assert run.message.startswith("KeyError: 'rows' (line ")
    with pytest.raises(LookupError, match="main has no child 'x'; its children: none"):
        run.child("x")
    assert repr(run) == f"<main ENDED_ERROR: {run.message}>"


def test_a_flow_may_have_the_fields_of_a_flow(flows: TestFlows) -> None:
    flows.add("slow", "def handler(system, this):\n    this.sleep(99)\n", timeout="30s")
    assert flows.run("slow").reason == "TimedOut"
    with pytest.raises(TypeError, match="a Flow has no field 'colour' here"):
        flows.add("slow", "def handler(system, this):\n    pass\n", colour="red")


def test_settings_and_files_are_mappings(flows: TestFlows) -> None:
    flows.settings["a"] = 1
    flows.schemas["s"] = {"type": "object"}
    flows.files["f"] = b"x"
    assert (dict(flows.settings), len(flows.schemas), list(flows.files)) == ({"a": 1}, 1, ["f"])
    assert repr(flows.settings) == "{'a': 1}"
    del flows.settings["a"], flows.files["f"]
    assert "a" not in flows.settings
    assert "f" not in flows.files
    with pytest.raises(KeyError):
        del flows.settings["a"]


def test_a_failed_test_shows_what_ran(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        flow_report="""
        def handler(system, this):
            print('counting')
            this.flow('count')
        """,
        test_report="""
        def test_the_report(flows):
            flows.add('report', 'flow_report.py')
            flows.add('count', 'def handler(system, this):\\n    return 1 / 0\\n')
            assert flows.run('report').status == 'ENDED_SUCCESS'
        """,
    )
    result = pytester.runpytest(*ALONE)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*- flow report -*",
            "report  ENDED_ERROR  execution count-* (count) failed: ZeroDivisionError: *",
            "└─ count  ENDED_ERROR  ZeroDivisionError: division by zero (line 2)",
            "report (report-*) logged:",
            "  counting",
            "  flow_api.DependencyFailedError: *",
            "count (count-*) logged:",
            "  ZeroDivisionError: division by zero",
        ]
    )


def test_what_a_test_says_nothing_of_is_not_connected(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_it(flows):
            def main(system, this):
                this.connect('orders')
            run = flows.run(main)
            assert "set flows.connections['orders'] to its outputs" in run.message
        """
    )
    pytester.runpytest(*ALONE).assert_outcomes(passed=1)


def test_a_folder_of_flows_is_there_in_every_test(pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nflows_folder = automations\n")
    (pytester.mkdir("automations") / "my_greeting.py").write_text(
        "def handler(system, this, inputs):\n    return {'hello': inputs['name']}\n"
    )
    pytester.makepyfile(
        """
        def test_it(flows):
            assert flows.run('my_greeting', name='Ada').outputs == {'hello': 'Ada'}
            assert flows.run('my-greeting', {'name': 'Bob'}).outputs == {'hello': 'Bob'}
            flows.connections.use_cassette('none.json')
        """
    )
    pytester.runpytest("--flows-record=none", *ALONE).stdout.fnmatch_lines(["*record it first*"])
    pytester.runpytest(*ALONE).assert_outcomes(passed=1)


def test_a_cassette_is_recorded_once_and_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []

    def run(self: object, inputs: object, context: object) -> dict[str, str]:
        made.append(inputs)
        return {"commit_sha": "abc", "said": "hunter22 is the password"}

    monkeypatch.setattr(type(git.CONNECTOR), "run", run)

    def main(system: flow_api.System, this: flow_api.Execution) -> dict[str, object]:
        return dict(this.connect("repository", command="metadata").get("output_value"))

    def once(record: Literal["once", "none", "all"]) -> Result:
        flows = TestFlows(tmp_path, beside=tmp_path, record=record)
        flows.connections.use_cassette(
            "cassettes/repository.json",
            repository={
                "connector_type": "GIT",
                "repository_url": "https://example.com/r.git",
                "username": "weir",
                "password": "hunter22",
            },
        )
        result = flows.run(main)
        flows.close()
        return result

    assert once("once").outputs == {"commit_sha": "abc", "said": "*** is the password"}
    text = (tmp_path / "cassettes" / "repository.json").read_text()
    assert "hunter22" not in text
    (track,) = json.loads(text)["connections"]
    assert (track["connector"], track["type"]) == ("repository", "GIT")
    assert track["inputs"] == {"command": "metadata"}
    for record, times in (("once", 1), ("none", 1), ("all", 2)):
        assert once(record).outputs["commit_sha"] == "abc"  # type: ignore[arg-type]
        assert len(made) == times


def test_a_cassette_plays_only_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "c.json"
    track = {
        "connector": None,
        "type": "REST",
        "inputs": {"url": "u", "password": "***"},
        "status": "success",
        "reason": "",
        "message": None,
        "outputs": {"n": 1},
    }
    path.write_text(json.dumps({"version": 1, "connections": [track]}))
    flows = TestFlows(tmp_path, beside=tmp_path, record="none")
    flows.connections.use_cassette("c.json")

    def main(system: flow_api.System, this: flow_api.Execution) -> None:
        this.log(this.connect(connector_type="REST", url="u", password="p").get("output_value"))
        this.connect(connector_type="REST", url="u", password="p")

    run = flows.run(main)
    assert run.log == ['{"n": 1}']
    assert "c.json holds no (more) connection REST with these inputs" in (run.message or "")
    path.write_text("{}")
    with pytest.raises(flow_api.testing.LocalError, match=r"c\.json is no cassette"):
        flows.connections.use_cassette("c.json")
    with pytest.raises(flow_api.testing.LocalError, match="record it first"):
        flows.connections.use_cassette("gone.json")
    flows.close()
