"""The verbs against a fake cluster: what they write, print, and end with."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.unit.cli.fake import NOW, FakeCluster, execution, flow, weir
from weir.api.execution import Execution
from weir.api.names import MAX_NAME
from weir.cli import trees
from weir.cli.run import derived_name
from weir.cli.session import Options, Session
from weir.cli.terminal import Terminal
from weir.cli.tree import Drawing
from weir.cluster.errors import ClusterError, Refused, Unavailable

STARTS = [{"phase": "Starting"}, {"phase": "Running"}]
ENDS = {
    "Succeeded": {"phase": "Succeeded", "message": "all done", "duration": "1.2s"},
    "Failed": {"phase": "Failed", "message": "ValueError: boom (line 3)", "duration": "1.2s"},
    "Cancelled": {"phase": "Cancelled"},
}


def created(cluster: FakeCluster) -> dict[str, object]:
    ((verb, _, body),) = cluster.written
    assert verb == "create"
    return body


def test_run_creates_an_execution_and_goes_on() -> None:
    cluster = FakeCluster(flow("hello"))
    result = weir(cluster, "run", "hello", "--input", "person=Ada", "-i", "count=3")
    assert result.exit_code == 0
    body = created(cluster)
    name = body["metadata"]["name"]  # type: ignore[index]
    assert name.startswith("hello-")
    assert len(name) == len("hello-xxxxx")
    assert body["spec"] == {"flow": "hello", "inputs": {"person": "Ada", "count": 3}}
    assert result.stdout == f"execution/{name} created\n"
    assert cluster.closed


def test_run_sets_what_is_asked_for() -> None:
    cluster = FakeCluster(flow("hello"))
    weir(
        cluster,
        *("run", "hello", "--name", "first", "--title", "The first"),
        *("--mode", "Development", "--timeout", "1h30m", "--priority", "7"),
    )
    body = created(cluster)
    assert body["metadata"] == {
        "name": "first",
        "labels": {"weir.dev/mode": "Development"},
        "annotations": {"weir.dev/created-by": "ada"},
    }
    assert body["spec"] == {
        "flow": "hello",
        "title": "The first",
        "mode": "Development",
        "timeout": "1h30m",
        "priority": 7,
    }


def test_a_draft_is_a_development_run_of_the_script_in_a_file(tmp_path: Path) -> None:
    script = "def handler(system, this):\n    return this.success('ß')\n"
    (tmp_path / "new.py").write_text(script, encoding="utf-8")
    cluster = FakeCluster(flow("monthly-report", "Monthly report"))
    result = weir(cluster, "run", "Monthly report", "--draft", str(tmp_path / "new.py"))
    assert result.exit_code == 0
    assert created(cluster)["spec"] == {
        "flow": "monthly-report",
        "draft": script,
        "mode": "Development",
    }


@pytest.mark.parametrize(
    ("content", "options", "told"),
    [
        pytest.param(b"def handler(:", (), "SyntaxError: line 1", id="no Python"),
        pytest.param(b"x = 1", (), "NoHandler: ", id="no handler"),
        pytest.param(b"\xff\xfe\x00", (), "is no text in UTF-8", id="no text"),
        pytest.param(None, (), "No such file", id="no file"),
        pytest.param(
            b"def handler(system, this): pass",
            ("--mode", "Productive"),
            "--draft makes a Development run",
            id="a mode that it cannot have",
        ),
    ],
)
def test_a_draft_that_cannot_be_run_makes_no_execution(
    tmp_path: Path, content: bytes | None, options: tuple[str, ...], told: str
) -> None:
    path = tmp_path / "new.py"
    if content is not None:
        path.write_bytes(content)
    cluster = FakeCluster(flow("hello"))
    result = weir(cluster, "run", "hello", "--draft", str(path), *options)
    assert result.exit_code == 2
    assert told in result.stderr
    assert cluster.written == []


def test_development_is_short_for_the_mode() -> None:
    cluster = FakeCluster(flow("hello"))
    assert weir(cluster, "run", "hello", "--development").exit_code == 0
    assert created(cluster)["spec"] == {"flow": "hello", "mode": "Development"}
    refused = weir(FakeCluster(flow("hello")), "run", "hello", "-d", "--mode", "Productive")
    assert refused.exit_code == 2


def test_promote_makes_development_runs_productive() -> None:
    trial, productive = execution("trial", "Running"), execution("other", "Running")
    trial[1]["spec"]["mode"] = "Development"
    cluster = FakeCluster(trial, productive)
    result = weir(cluster, "promote", "trial", "execution/other")
    assert result.exit_code == 0
    change = {
        "metadata": {"labels": {"weir.dev/mode": "Productive"}},
        "spec": {"mode": "Productive"},
    }
    assert cluster.written == [("patch", "trial", change)]
    assert result.stdout == (
        "execution/trial is Productive from now on\nexecution/other is Productive\n"
    )


def test_a_draft_cannot_be_promoted_nor_what_is_named_with_it() -> None:
    trial, draft = execution("trial", "Running"), execution("draft", "Running")
    trial[1]["spec"]["mode"] = draft[1]["spec"]["mode"] = "Development"
    draft[1]["spec"]["draft"] = "def handler(system, this): pass"
    cluster = FakeCluster(trial, draft)
    result = weir(cluster, "promote", "trial", "draft")
    assert result.exit_code == 4
    assert "a draft never counts" in result.stderr
    assert cluster.written == []


def test_get_shows_the_failed_tries_of_one_run() -> None:
    tries = [
        {
            "try": number,
            "reason": "ScriptError",
            "message": "boom",
            "startTime": f"2026-01-05T12:0{number}:00Z",
            "endTime": f"2026-01-05T12:0{number}:30Z",
        }
        for number in (1, 2)
    ]
    status: dict[str, Any] = {"try": 3, "tries": tries}
    cluster = FakeCluster(execution("flaky", "Queued", **status))
    lines = weir(cluster, "get", "execution", "flaky").stdout.splitlines()
    head, *rows = [line.split() for line in lines[3:]]
    assert lines[2] == ""
    assert head == ["TRY", "REASON", "STARTED", "FAILED", "MESSAGE"]
    assert [[row[0], row[1], row[4]] for row in rows] == [
        ["1", "ScriptError", "boom"],
        ["2", "ScriptError", "boom"],
    ]
    assert "REASON" not in weir(cluster, "get", "executions").stdout


@pytest.mark.parametrize("word", ["monthly-report", "Monthly report", "Monthly  Report"])
def test_a_flow_is_found_by_name_title_and_slug(word: str) -> None:
    cluster = FakeCluster(flow("monthly-report", "Monthly report"))
    assert weir(cluster, "run", word).exit_code == 0
    assert created(cluster)["spec"] == {"flow": "monthly-report"}


def test_only_the_name_is_printed_for_scripts() -> None:
    cluster = FakeCluster(flow("hello"))
    assert weir(cluster, "run", "hello", "--name", "x", "-o", "name").stdout == "x\n"


def test_a_long_flows_run_has_a_name_that_fits() -> None:
    name = derived_name("f" * MAX_NAME, "x2k7q")
    assert name == "f" * (MAX_NAME - 6) + "-x2k7q"
    assert derived_name("a" * 56 + "-b", "x2k7q") == "a" * 56 + "-x2k7q"


@pytest.mark.parametrize(("phase", "code"), [("Succeeded", 0), ("Failed", 1), ("Cancelled", 3)])
def test_the_exit_code_says_how_the_run_ended(phase: str, code: int) -> None:
    cluster = FakeCluster(flow("hello"))
    cluster.steps["*"] = [*STARTS, ENDS[phase]]
    result = weir(cluster, "run", "hello", "--wait")
    assert result.exit_code == code
    assert phase in result.stderr
    assert result.stdout == ""


def test_waiting_prints_the_outputs_alone() -> None:
    cluster = FakeCluster(flow("hello"))
    outputs = {"greeting": "Grüß Gott, Ada"}
    cluster.steps["*"] = [*STARTS, ENDS["Succeeded"] | {"outputs": outputs}]
    result = weir(cluster, "run", "hello", "--wait")
    assert json.loads(result.stdout) == outputs
    assert "Succeeded after 1.2s: all done" in result.stderr


def test_following_tells_each_step_and_goes_on_without_a_log() -> None:
    cluster = FakeCluster(flow("hello"))
    cluster.steps["*"] = [*STARTS, {"message": "half way"}, ENDS["Succeeded"]]
    result = weir(cluster, "run", "hello", "--follow")
    assert result.exit_code == 0
    told = result.stderr
    steps = ("created", "Pending", "Starting", "Running", "Running: half way", "Succeeded after")
    places = [told.index(step) for step in steps]
    assert places == sorted(places)
    assert "no log: there is no Service of Weir's server in this cluster" in told


def test_ctrl_c_leaves_the_run_going_and_says_how_to_end_it() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cluster = FakeCluster(flow("hello"))
    cluster.steps["*"] = STARTS
    cluster.interrupts = interrupt
    result = weir(cluster, "-n", "team-a", "run", "hello", "--name", "first", "--wait")
    assert result.exit_code == 130
    assert "first goes on" in result.stderr
    assert "`weir -n team-a cancel first` cancels it" in result.stderr
    assert [verb for verb, *_ in cluster.written] == ["create"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        pytest.param(
            ["run", "helo"],
            'there is no flow "helo" in namespace "team-a"; do you mean hello or hello-all?',
            id="an unknown flow comes with its near names",
        ),
        pytest.param(
            ["run", "zzz"],
            'there is no flow "zzz" in namespace "team-a"; `weir get flows` lists what there is',
            id="or with how to list all",
        ),
        pytest.param(
            ["run", "hello", "-n", "empty"],
            'there is no flow "hello" in namespace "empty"; there is none at all',
            id="or with the fact that there is none",
        ),
        pytest.param(["run", "hello", "-i", "x"], "--input 'x': write name=value", id="an input"),
        pytest.param(
            ["run", "hello", "--timeout", "90"],
            "--timeout: '90' is no duration: write for example 90s, 5m or 1h30m",
            id="a duration without a unit",
        ),
        pytest.param(
            ["run", "hello", "--name", "My run"],
            "--name 'My run' cannot be an object's name: take my-run, or say what people call "
            "the run by --title",
            id="a name that Kubernetes refuses",
        ),
        pytest.param(
            ["run", "hello", "--name", "hello-x2k7q"],
            "execution hello-x2k7q is there already: take another --name, or none",
            id="a name that is taken",
        ),
        pytest.param(
            ["run", "hello", "-o", "text"], "there are table, wide, json, yaml, name", id="a format"
        ),
        pytest.param(
            ["tree", "hello-x2k7"],
            'there is no execution "hello-x2k7" in namespace "team-a"; do you mean hello-x2k7q?',
            id="an unknown execution",
        ),
        pytest.param(
            ["get", "pods"],
            "'pods' is no kind; the kind comes first: `weir get flows pods`",
            id="an unknown kind",
        ),
        pytest.param(
            ["get", "flow", "helo"], 'there is no flow "helo" in namespace', id="an unknown name"
        ),
        pytest.param(
            ["get", "flows", "--phase", "Failed"],
            "--phase and --flow select executions only",
            id="a selection that means nothing",
        ),
        pytest.param(["get", "flow", "hello", "-A"], "with a name, say the namespace", id="both"),
    ],
)
def test_a_wrong_call_is_answered_in_one_line(arguments: list[str], complaint: str) -> None:
    cluster = FakeCluster(flow("hello"), flow("hello-all"), execution("hello-x2k7q", "Running"))
    result = weir(cluster, *arguments)
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert complaint in result.stderr
    assert result.stderr.count("\n") == 1
    assert cluster.written == []


@pytest.mark.parametrize(
    "error",
    [
        Refused('executions.weir.dev is forbidden: User "ada" cannot list', status=403),
        Unavailable("the API server does not answer:\nConnectionRefused"),
    ],
)
def test_what_the_cluster_refuses_ends_with_its_own_code(
    error: ClusterError, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_: object, **__: object) -> None:
        raise error

    cluster = FakeCluster()
    monkeypatch.setattr(cluster, "list", refuse)
    result = weir(cluster, "get")
    assert result.exit_code == 4
    assert result.stderr == f"error: {' '.join(error.message.split())}\n"


def test_options_are_taken_before_and_after_the_verb() -> None:
    cluster = FakeCluster()
    assert '"before"' in weir(cluster, "-n", "before", "get").stderr
    assert '"after"' in weir(cluster, "-n", "before", "get", "-n", "after").stderr
    assert '"team-a"' in weir(cluster, "get").stderr
    assert '"default"' in weir(FakeCluster(namespace=None), "get").stderr


FAMILY = (
    execution("root", "Failed", message="leaf failed", duration="3.2s"),
    execution("first", "Failed", parent="root", root="root", duration="1.5s"),
    execution("leaf", "Failed", parent="first", root="root", message="boom", duration="0.7s"),
    execution("stranger", "Running"),
)


def test_tree_shows_the_run_and_all_below_it() -> None:
    lines = weir(FakeCluster(*FAMILY), "tree", "first").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["first", "└─"]
    lines = weir(FakeCluster(*FAMILY), "tree", "execution/leaf", "--root").stdout.splitlines()
    assert len(lines) == 3
    assert lines[0].startswith("root")


def test_watching_a_tree_prints_what_changes_until_all_have_ended() -> None:
    cluster = FakeCluster(
        execution("root", "Running"),
        execution("first", "Running", parent="root", root="root"),
    )
    cluster.steps = {
        "root": [{"message": "half way"}, ENDS["Succeeded"]],
        "first": [ENDS["Succeeded"]],
    }
    result = weir(cluster, "tree", "root", "--watch")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    # A burst of changes is told once.
    assert sum("Succeeded" in line for line in lines) == 2
    assert len(lines) == len(set(lines))


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_a_tree_is_drawn_over_and_cut_to_its_height(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    screen = Screen()
    monkeypatch.setattr(sys, "stdout", screen)
    terminal = Terminal(width=80, height=5)
    session = Session(Options(), FakeCluster(), "team-a", out=terminal, now=lambda: NOW)
    family = [
        Execution.model_validate(execution(*one, **facts)[1])  # type: ignore[arg-type]
        for one, facts in [
            (("root", "Running"), {}),
            *((((f"c{n}", "Running"), {"parent": "root", "root": "root"})) for n in range(5)),
        ]
    ]
    drawing = Drawing(session)
    node = trees.build(family, "root")
    drawing.draw(node, whole=False)
    assert screen.getvalue().splitlines()[3:] == ["… and 3 more"]
    drawing.draw(node, whole=True)
    assert "\x1b[4F\x1b[J" in screen.getvalue()  # up by the four lines, and all below cleared
    assert screen.getvalue().splitlines()[-1].startswith("└─ c4")


def test_cancel_asks_each_run_to_end() -> None:
    cluster = FakeCluster(execution("a", "Running"), execution("b", "Succeeded"))
    result = weir(cluster, "cancel", "a", "b", "a")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "execution/a is to be cancelled",
        "execution/b ended before (Succeeded)",
    ]
    assert cluster.written == [("patch", "a", {"spec": {"desiredState": "Cancelled"}})]


def test_cancel_waits_for_the_end() -> None:
    cluster = FakeCluster(execution("a", "Running"))
    cluster.steps["a"] = [ENDS["Cancelled"]]
    result = weir(cluster, "cancel", "a", "--wait")
    assert "⊘ Cancelled" in result.stdout.splitlines()[1]


def test_nothing_is_cancelled_when_a_name_is_wrong() -> None:
    cluster = FakeCluster(execution("a", "Running"))
    assert weir(cluster, "cancel", "a", "no-such").exit_code == 2
    assert cluster.written == []


@pytest.mark.parametrize(
    ("verb", "phase", "before", "said", "written"),
    [
        pytest.param("pause", "Running", "Running", "is to be paused", "Paused", id="a pause"),
        pytest.param("pause", "Paused", "Paused", "is paused", None, id="a second pause"),
        pytest.param("resume", "Paused", "Paused", "is resumed", "Running", id="a resumption"),
        pytest.param("resume", "Running", "Running", "is not paused", None, id="for nothing"),
        pytest.param("pause", "Failed", "Running", "ended before (Failed)", None, id="too late"),
    ],
)
def test_a_run_is_held_and_let_go(
    verb: str, phase: str, before: str, said: str, written: str | None
) -> None:
    cluster = FakeCluster(execution("a", phase, spec={"flow": "f", "desiredState": before}))
    result = weir(cluster, verb, "a")
    assert result.exit_code == 0
    assert said in result.stdout
    wanted = [("patch", "a", {"spec": {"desiredState": written}})] if written else []
    assert cluster.written == wanted


def test_what_is_to_be_cancelled_is_not_resumed() -> None:
    cancelled = execution("a", "Running", spec={"flow": "f", "desiredState": "Cancelled"})
    cluster = FakeCluster(cancelled, execution("b", "Paused"))
    result = weir(cluster, "resume", "b", "a")
    assert result.exit_code == 4
    assert "is to be cancelled, and that is final" in result.stderr
    assert cluster.written == []


def test_pause_waits_until_the_run_is_held() -> None:
    cluster = FakeCluster(execution("a", "Running"))
    cluster.steps["a"] = [{"phase": "Running"}, {"phase": "Paused"}]
    result = weir(cluster, "pause", "a", "--wait")
    assert "‖ Paused" in result.stdout.splitlines()[1]


@pytest.mark.parametrize("arguments", [["get", "exe", "-o", "name"], ["tree", "root"]])
def test_what_scripts_have_put_away_is_listed_when_asked(arguments: list[str]) -> None:
    tried = execution("tried", "Failed", parent="root", root="root")
    tried[1]["metadata"]["labels"]["weir.dev/archived"] = "true"
    cluster = FakeCluster(execution("root", "Succeeded"), tried)
    assert "tried" not in weir(cluster, *arguments).stdout
    assert "tried" in weir(cluster, *arguments, "--archived").stdout


LISTED = (
    execution("newer", "Failed", created="2026-01-05T12:02:00Z", flow="hello"),
    execution("older", "Running", created="2026-01-05T12:01:00Z", flow="hello"),
    execution("other", "Failed", spec={"flow": "bye"}, created="2026-01-05T12:03:00Z"),
)


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        pytest.param([], ["older", "newer", "other"], id="all, the newest last"),
        pytest.param(["exe"], ["older", "newer", "other"], id="by the short name"),
        pytest.param(["executions", "--phase", "Failed"], ["newer", "other"], id="by phase"),
        pytest.param(["executions", "--flow", "bye"], ["other"], id="by flow"),
        pytest.param(["execution", "older", "other"], ["older", "other"], id="by name"),
        pytest.param(["execution/older"], ["older"], id="by kind and name"),
    ],
)
def test_get_lists(arguments: list[str], names: list[str]) -> None:
    result = weir(FakeCluster(*LISTED), "get", *arguments, "-o", "name")
    assert result.stdout.splitlines() == [f"execution/{name}" for name in names]


def test_get_prints_whole_objects() -> None:
    one = json.loads(weir(FakeCluster(*LISTED), "get", "exe", "older", "-o", "json").stdout)
    assert one["kind"] == "Execution"
    several = yaml.safe_load(weir(FakeCluster(*LISTED), "get", "-o", "yaml").stdout)
    assert [item["kind"] for item in several["items"]] == ["Execution"] * 3


def test_protected_values_are_not_shown() -> None:
    secret = execution(
        "a",
        "Succeeded",
        spec={
            "inputs": {"key": "s3cr3t", "plain": 1},
            "protectInputs": ["key"],
            "protectOutputs": ["token"],
        },
        outputs={"token": "s3cr3t"},
    )
    shown = weir(FakeCluster(secret), "get", "exe", "a", "-o", "yaml").stdout
    assert "s3cr3t" not in shown
    assert yaml.safe_load(shown)["spec"]["inputs"] == {"key": "***", "plain": 1}


def test_an_empty_list_says_so_and_prints_nothing() -> None:
    result = weir(FakeCluster(), "get", "flows")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == (
        'no flows in namespace "team-a": `weir init` makes a repository with one, '
        "`kubectl apply -f FILE` brings a manifest; -A looks in all namespaces\n"
    )


def test_version_needs_no_cluster() -> None:
    result = weir(FakeCluster(), "version")
    assert result.exit_code == 0
    assert result.stdout.startswith("client: ")
    assert "server: unknown (there is no Service" in result.stdout
    assert "server" not in weir(FakeCluster(), "version", "--client").stdout


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys, weir.cli.main\n"
        "heavy = {'kubernetes', 'aiohttp', 'httpx', 'pydantic', 'yaml', 'rich'}\n"
        "print(sorted(heavy & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
