"""What each call of a script asks for, and what it makes of the answer."""

from collections.abc import Callable
from typing import Any

import pytest

import flow_api
from flow_api import Execution, ReturnWhen, System
from tests.unit.flow_api.fake_backend import FakeBackend, view
from weir_protocol import Answer, ErrorInfo
from weir_protocol.arguments import (
    CancelArguments,
    ChildArguments,
    ReadArguments,
    RunArguments,
    SaveArguments,
    WaitArguments,
)

# Any: what a checker of types would refuse is tried too.
Call = Callable[[Any], Any]


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def this(backend: FakeBackend) -> Execution:
    return Execution(backend, view(input_value={"person": "Ada"}), own=True)


def child(**fields: Any) -> ChildArguments:
    return ChildArguments(**fields)


CHILDREN = {
    "a flow": (lambda this: this.flow("greet"), child(flow="greet")),
    "inputs by keyword": (
        lambda this: this.flow("greet", person="Ada"),
        child(flow="greet", inputs={"person": "Ada"}),
    ),
    "inputs in the second place": (
        lambda this: this.flow("greet", {"person": "Ada"}),
        child(flow="greet", inputs={"person": "Ada"}),
    ),
    "a keyword beats inputs, inputs beat init": (
        lambda this: this.flow(
            "greet", {"b": 2, "c": 2}, init={"input_value": {"a": 1, "b": 1, "c": 1}}, c=3
        ),
        child(flow="greet", inputs={"a": 1, "b": 2, "c": 3}),
    ),
    "a name": (lambda this: this.flow("greet", name="one"), child(flow="greet", title="one")),
    "a name in the other spelling": (
        lambda this: this.flow("greet", name_="one"),
        child(flow="greet", title="one"),
    ),
    "a name that is no Unicode": (
        lambda this: this.flow("greet", name="\ud800x"),
        child(flow="greet", title="?x"),
    ),
    "a name by init": (
        lambda this: this.flow("greet", init={"name": "one", "orphan": True}),
        child(flow="greet", title="one", orphan=True),
    ),
    "an input called flow": (
        lambda this: this.flow("greet", flow="x"),
        child(flow="greet", inputs={"flow": "x"}),
    ),
    "created only": (lambda this: this.flow("greet", run=False), child(flow="greet", run=False)),
    "an orphan": (lambda this: this.flow("greet", orphan=True), child(flow="greet", orphan=True)),
    "protected values": (
        lambda this: this.flow("greet", protect_inputs="key", protect_outputs=("a", "b")),
        child(flow="greet", protect_inputs=["key"], protect_outputs=["a", "b"]),
    ),
    "a tuple among the inputs is a list": (
        lambda this: this.flow("greet", rows=(1, 2)),
        child(flow="greet", inputs={"rows": [1, 2]}),
    ),
    "a connector": (lambda this: this.connect("repo"), child(connector="repo")),
    "a connection type": (
        lambda this: this.connect(connector_type="GIT", command="get"),
        child(connector_type="GIT", inputs={"command": "get"}),
    ),
    "a connector and its type": (
        lambda this: this.connect("repo", connector_type="GIT"),
        child(connector="repo", connector_type="GIT"),
    ),
    "an input that Python reserves": (
        lambda this: this.connect("mail", from_="ada@example.com", to_="x"),
        child(connector="mail", inputs={"from": "ada@example.com", "to_": "x"}),
    ),
    "a task": (
        lambda this: this.task("GIT", command="get", wait=False),
        child(connector_type="GIT", inputs={"command": "get"}),
    ),
    "a script": (lambda this: this.script("pass", n=1), child(script="pass", inputs={"n": 1})),
}


@pytest.mark.parametrize(("call", "expected"), CHILDREN.values(), ids=CHILDREN.keys())
def test_a_child_is_asked_for_with(
    call: Call, expected: ChildArguments, this: Execution, backend: FakeBackend
) -> None:
    call(this)
    assert backend.of_kind("child") == [expected]


WAITS = {
    "by itself": ({}, ["ALL_SUCCEEDED"]),
    "with True": ({"wait": True}, ["ALL_SUCCEEDED"]),
    "not with False": ({"wait": False}, []),
    "with a way to wait": ({"wait": System.return_when.ALL_ENDED}, ["ALL_ENDED"]),
    "with the way's name": ({"wait": "FIRST_ENDED"}, ["FIRST_ENDED"]),
    "not for what does not run": ({"run": False}, []),
}


@pytest.mark.parametrize(("arguments", "waits"), WAITS.values(), ids=WAITS.keys())
def test_a_child_is_waited_for(
    arguments: dict[str, Any], waits: list[str], this: Execution, backend: FakeBackend
) -> None:
    this.flow("greet", **arguments)
    assert [wait.return_when for wait in backend.of_kind("wait")] == waits


OPERATIONS: dict[str, tuple[Call, tuple[str, Any]]] = {
    "run_async": (
        lambda this: this.flow("greet", run=False).run_async(),
        ("run", RunArguments(uid="child-1")),
    ),
    "run": (
        lambda this: this.flow("greet", run=False).run(),
        ("wait", WaitArguments(uids=["child-1"])),
    ),
    "wait": (
        lambda this: this.flow("greet", wait=False).wait(ReturnWhen.ALL_ENDED, 5),
        ("wait", WaitArguments(uids=["child-1"], return_when="ALL_ENDED", timeout=5)),
    ),
    "wait_for a list": (
        lambda this: this.wait_for([this.flow("greet", wait=False) for _ in "ab"], timeout=0),
        ("wait", WaitArguments(uids=["child-1", "child-2"], timeout=0)),
    ),
    "wait_for the same twice": (
        lambda this: this.wait_for(*[this.flow("greet", wait=False)] * 2),
        ("wait", WaitArguments(uids=["child-1"])),
    ),
    "cancel": (
        lambda this: this.flow("greet", wait=False).cancel(),
        ("cancel", CancelArguments(uid="child-1")),
    ),
    "load": (
        lambda this: this.flow("greet", wait=False).load("status"),
        ("read", ReadArguments(uid="child-1")),
    ),
    "save": (
        lambda this: this.save(name="n", description="d", message="m", output_value={"a": 1}),
        ("save", SaveArguments(title="n", description="d", message="m", outputs={"a": 1})),
    ),
    "save what was set before": (
        lambda this: (this.set(message="m"), this.set_output("a", 1), this.save()),
        ("save", SaveArguments(message="m", outputs={"a": 1})),
    ),
}


@pytest.mark.parametrize(("call", "expected"), OPERATIONS.values(), ids=OPERATIONS.keys())
def test_the_last_thing_that_it_asks_for_is(
    call: Call, expected: tuple[str, Any], this: Execution, backend: FakeBackend
) -> None:
    call(this)
    assert backend.operations[-1] == expected


WRONG: dict[str, tuple[Call, type[BaseException], str]] = {
    "no input of JSON": (
        lambda this: this.flow("greet", rows=[1, {2}]),
        TypeError,
        r"inputs\['rows'\]\[1\] is a set",
    ),
    "inputs that are no object": (
        lambda this: this.flow("greet", [1]),
        TypeError,
        "inputs must be a dict",
    ),
    "an empty name of a flow": (lambda this: this.flow(" "), TypeError, "not empty"),
    "no flow": (lambda this: this.flow(None), TypeError, "flow must be given"),
    "no script": (lambda this: this.script(None), TypeError, "script must be given"),
    "a task of no type": (lambda this: this.task(None), TypeError, "connector_type"),
    "a child's success": (
        lambda this: this.flow("greet").success("x"),
        flow_api.PermissionDenied,
        "success",
    ),
    "a child's save": (
        lambda this: this.flow("greet").save(message="x"),
        flow_api.PermissionDenied,
        "save",
    ),
    "an unknown way to wait": (lambda this: this.flow("greet", wait="X"), ValueError, "ALL_ENDED"),
    "a template that is run": (
        lambda this: this.flow("greet", save=False).run(),
        TypeError,
        "clone\\(\\) makes an execution",
    ),
    "a name under both spellings": (
        lambda this: this.flow("greet", name="a", name_="b"),
        TypeError,
        "name and name_ are the same",
    ),
    "an unknown field of init": (
        lambda this: this.flow("greet", init={"nam": 1}),
        TypeError,
        "init has no field 'nam'",
    ),
    "a protected key that is no text": (
        lambda this: this.flow("greet", protect_inputs=[1]),
        TypeError,
        "protect_inputs holds 1",
    ),
    "a connection to nothing": (lambda this: this.connect(), TypeError, "connector_type"),
    "a wait for a text": (lambda this: this.wait_for("x"), TypeError, "not for 'x'"),
    "a wait that does not wait": (
        lambda this: this.flow("greet", wait=False).wait(False),
        ValueError,
        "return_when",
    ),
    "a negative timeout": (
        lambda this: this.flow("greet", wait=False).wait(timeout=-1),
        ValueError,
        "timeout",
    ),
    "an endless timeout": (
        lambda this: this.flow("greet", wait=False).wait(timeout=float("inf")),
        ValueError,
        "None to wait for ever",
    ),
    "an unknown field": (lambda this: this.get("nam"), ValueError, "no field 'nam'"),
    "an unknown field afresh": (lambda this: this.load("nam"), ValueError, "no field 'nam'"),
    "no field": (lambda this: this.get(), TypeError, "at least one"),
    "a field that is the server's": (lambda this: this.set(status="x"), ValueError, "'status'"),
    "outputs that are no object": (
        lambda this: this.set(output_value=1),
        TypeError,
        "output_value",
    ),
    "an output that is no JSON": (
        lambda this: this.set_output("a", [float("nan")]),
        TypeError,
        r"output_value\['a'\]\[0\] is nan",
    ),
    "an output whose key is no text": (lambda this: this.set_output(1, 2), TypeError, "not 1"),
    "three outputs": (lambda this: this.set_output("a", 1, 2), TypeError, "3 arguments"),
    "an end of a third kind": (lambda this: this.end("maybe"), ValueError, "'maybe'"),
    "a child's log": (lambda this: this.flow("greet").log("x"), flow_api.PermissionDenied, "log"),
    "a child's child": (
        lambda this: this.flow("greet").flow("greet"),
        flow_api.PermissionDenied,
        "flow",
    ),
    "a child's output": (
        lambda this: this.flow("greet").set_output("a", 1),
        flow_api.PermissionDenied,
        "set_output",
    ),
    "its own cancellation": (lambda this: this.cancel(), flow_api.ExecutionCancel, "cancelled"),
    "an unknown flow": (
        lambda this: this.flow("missing"),
        flow_api.ResourceNotFoundError,
        "'missing'",
    ),
}


@pytest.mark.parametrize(("call", "raised", "text"), WRONG.values(), ids=WRONG.keys())
def test_it_raises_for(call: Call, raised: type[BaseException], text: str, this: Execution) -> None:
    with pytest.raises(raised, match=text):
        call(this)


ENDS: dict[str, tuple[Call, type[flow_api.LifecycleSignal], str | None]] = {
    "success": (lambda this: this.success("done"), flow_api.ExecutionSuccess, "done"),
    "success in silence": (lambda this: this.success(), flow_api.ExecutionSuccess, None),
    "success with a number": (lambda this: this.success(3), flow_api.ExecutionSuccess, "3"),
    "error": (lambda this: this.error("no"), flow_api.ExecutionError, "no"),
    "end as success": (lambda this: this.end("success"), flow_api.ExecutionSuccess, None),
    "end by status word": (
        lambda this: this.end("ENDED_ERROR", "no"),
        flow_api.ExecutionError,
        "no",
    ),
}


@pytest.mark.parametrize(("call", "raised", "message"), ENDS.values(), ids=ENDS.keys())
def test_it_ends_the_run_by(
    call: Call, raised: type[flow_api.LifecycleSignal], message: str | None, this: Execution
) -> None:
    with pytest.raises(raised) as signal:
        call(this)
    assert signal.value.message == message


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name in flow_api.exceptions.__all__
        if issubclass(getattr(flow_api, name), flow_api.EngineException)
        and name not in ("EngineException", "CloudomationException")
    ),
)
def test_the_script_sees_the_exception_that_the_server_names(
    name: str, this: Execution, backend: FakeBackend
) -> None:
    backend.answer = Answer(state="failed", error=ErrorInfo(type=name, message="what and why"))
    with pytest.raises(getattr(flow_api, name), match=r"^what and why$"):
        this.flow("greet")


@pytest.mark.parametrize("name", ["Novelty", "ExecutionSuccess", "SystemExit"])
def test_an_exception_that_is_not_known_is_an_internal_error_with_its_name(
    name: str, this: Execution, backend: FakeBackend
) -> None:
    backend.answer = Answer(state="failed", error=ErrorInfo(type=name, message="why"))
    with pytest.raises(flow_api.InternalError, match=f"{name}: why"):
        this.flow("greet")


def test_a_failed_answer_without_an_error_is_an_internal_error(
    this: Execution, backend: FakeBackend
) -> None:
    backend.answer = Answer(state="failed")
    with pytest.raises(flow_api.InternalError, match="without an error"):
        this.save(message="x")


def test_a_failed_child_is_the_scripts_own_handle(this: Execution) -> None:
    children = [this.flow(flow, wait=False) for flow in ("greet", "may fail")]
    with pytest.raises(flow_api.DependencyFailedError, match=r"leaf-x1 \(leaf\) failed") as error:
        this.wait_for(children)
    assert error.value.execution is children[1]
    assert children[1].get("status", "message") == ("ENDED_ERROR", "it did fail")


def test_a_wait_for_the_end_does_not_raise(this: Execution) -> None:
    child = this.flow("may fail", wait=System.return_when.ALL_ENDED)
    assert child.get("status") == "ENDED_ERROR"


def test_the_first_that_ended_is_returned(this: Execution) -> None:
    first, second = (this.flow("greet", wait=False) for _ in "ab")
    assert this.wait_for(first, second, return_when=ReturnWhen.FIRST_ENDED) == [first]
    assert second.get("status") == "RUNNING"


def test_nothing_is_waited_for_at_once(this: Execution, backend: FakeBackend) -> None:
    assert this.wait_for() == []
    assert backend.operations == []


def test_an_ended_childs_values_are_fetched_once_when_asked_for() -> None:
    backend = FakeBackend(lean=True)
    child = Execution(backend, view(), own=True).flow("greet", person="Ada")
    assert child.get("input_value") == {"person": "Ada"}
    assert backend.of_kind("read") == []
    for _ in "ab":
        assert child.get("output_value") == {"greeting": "Hello, Ada"}
    assert len(backend.of_kind("read")) == 1


def test_get_does_not_ask_and_load_does(this: Execution, backend: FakeBackend) -> None:
    assert this.get("message") is None
    assert backend.operations == []
    assert this.load("message", "id") == ("stored", "own")
    assert this.get("message") == "stored"
    assert this.load() is None


@pytest.mark.parametrize(
    ("title", "name"), [("step 1", "step 1"), ("", "own-x1")], ids=["its title", "else its own"]
)
def test_the_name_is_what_people_call_it(title: str, name: str) -> None:
    assert Execution(FakeBackend(), view(title=title)).get("name") == name


def test_what_was_set_is_seen_before_it_is_stored(this: Execution, backend: FakeBackend) -> None:
    this.set(message="half", name="step")
    this.set_output(a=1)
    this.set_output({"b": [1]})
    assert this.get("message", "name") == ("half", "step")
    assert this.get("output_value") == {"a": 1, "b": [1]}
    assert backend.operations == []


def test_saving_nothing_asks_nothing(this: Execution, backend: FakeBackend) -> None:
    this.save()
    assert backend.operations == []


def test_stored_outputs_share_nothing_with_the_scripts_values(this: Execution) -> None:
    rows = [1]
    this.set_output("rows", rows)
    rows.append(2)
    assert this.get("output_value") == {"rows": [1]}


def test_executions_are_equal_by_their_id(this: Execution) -> None:
    assert len({this, Execution(FakeBackend(), view())}) == 1
    assert this != "own"
    assert repr(this) == "<Execution 'own' RUNNING>"


LOGS: dict[str, tuple[Call, tuple[str, Any]]] = {
    "texts as they are": (lambda this: this.log("a", "b"), ("a b", None)),
    "JSON as JSON": (
        lambda this: this.log({"a": (1, None)}, True),
        ('{"a": [1, null]} true', None),
    ),
    "names with their structure": (lambda this: this.log("x", rows=[1]), ("x", {"rows": [1]})),
    "others by repr": (lambda this: this.log(1j, at={1}), ("1j", {"at": "{1}"})),
    "numbers that JSON lacks by repr": (lambda this: this.log(v=float("inf")), ("", {"v": "inf"})),
    "keys by repr": (lambda this: this.log(v={1: 2}), ("", {"v": {"1": 2}})),
    "half a surrogate pair as a question mark": (lambda this: this.log("\ud800x"), ("?x", None)),
    "an integer too long to write": (
        lambda this: this.log(10**5000),
        ("<int whose repr failed with ValueError>", None),
    ),
}


@pytest.mark.parametrize(("call", "logged"), LOGS.values(), ids=LOGS.keys())
def test_it_logs(
    call: Call, logged: tuple[str, Any], this: Execution, backend: FakeBackend
) -> None:
    call(this)
    assert backend.logged == [logged]


def test_a_value_that_contains_itself_is_logged_all_the_same(
    this: Execution, backend: FakeBackend
) -> None:
    loop: list[Any] = []
    loop.append(loop)
    this.log(loop)
    assert "[...]" in backend.logged[0][0]
