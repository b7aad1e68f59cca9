"""`weir messages` and `weir respond` against a fake cluster; and forms as they are filled in."""

import json
from typing import Any

import pytest
import yaml

from tests.unit.cli.fake import FakeCluster, weir
from weir.api.names import EXECUTION_LABEL, ROOT_LABEL
from weir.api.resource import JsonObject
from weir.cli.prompting import Abandoned, Prompter
from weir.cli.terminal import Terminal
from weir.cluster.kinds import MESSAGES, Kind
from weir_protocol import forms

FORM: JsonObject = {
    "properties": {
        "version": {"element": "string"},
        "pin": {"element": "password"},
        "approve": {"element": "submit"},
        "reject": {"element": "submit"},
    },
    "required": ["version"],
}


def message(
    name: str,
    *,
    run: str = "deploy",
    root: str | None = None,
    created: str = "2026-01-05T12:00:00Z",
    status: JsonObject | None = None,
    **spec: Any,
) -> tuple[Kind, JsonObject]:
    return MESSAGES, {
        "metadata": {
            "name": name,
            "uid": f"{name}-uid",
            "generation": 1,
            "creationTimestamp": created,
            "labels": {EXECUTION_LABEL: run, ROOT_LABEL: root or run},
        },
        "spec": {"subject": f"About {name}", "execution": {"name": run, "uid": f"{run}-uid"}}
        | spec,
        "status": status or {},
    }


ANSWERED = {"accepted": True, "response": {"version": "1", "pin": "1234"}, "respondedBy": "ada"}


def some() -> FakeCluster:
    return FakeCluster(
        message("second", body=FORM, created="2026-01-05T12:00:02Z"),
        message("first", run="child", root="deploy", status={"accepted": False, "error": "no"}),
        message("third", run="other", body=FORM, status=ANSWERED),
        message("fourth", run="other", body=FORM, status={"closed": True}),
    )


def test_what_waits_is_listed_the_oldest_first() -> None:
    result = weir(some(), "messages")
    rows = [line.split() for line in result.stdout.splitlines()]
    assert rows[0] == ["NAME", "SUBJECT", "EXECUTION", "ANSWERED", "AGE"]
    assert [row[0] for row in rows[1:]] == ["first", "second"]
    assert "false" in result.stdout  # a refused answer


def test_all_are_listed_on_request_and_who_answered() -> None:
    result = weir(some(), "messages", "--all", "-o", "wide")
    assert {line.split()[0] for line in result.stdout.splitlines()[1:]} == {
        "first",
        "second",
        "third",
        "fourth",
    }
    assert "ada" in result.stdout


def test_those_of_a_run_and_all_below_it_are_listed() -> None:
    names = weir(some(), "messages", "deploy", "-o", "name").stdout.split()
    assert names == ["message/first", "message/second"]
    assert weir(some(), "messages", "child", "-o", "name").stdout == "message/first\n"


@pytest.mark.parametrize("output", ["json", "yaml"])
def test_passwords_are_not_listed(output: str) -> None:
    text = weir(some(), "messages", "--all", "-o", output).stdout
    assert "1234" not in text
    items = yaml.safe_load(text)["items"]
    assert {item["kind"] for item in items} == {"Message"}
    assert "1234" not in weir(some(), "get", "messages", "-o", output).stdout


def test_nothing_waits() -> None:
    result = weir(FakeCluster(), "messages")
    assert result.exit_code == 0
    assert result.stdout == ""
    assert 'no message waits in namespace "team-a"' in result.stderr


def test_watching_tells_new_ones() -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    cluster = some()
    cluster.interrupts = interrupt
    assert weir(cluster, "messages", "--watch", "-o", "name").stdout.split() == [
        "message/second",
        "message/first",
    ]
    lines = weir(cluster, "messages", "--watch", "-o", "json").stdout.splitlines()
    assert [json.loads(line)["metadata"]["name"] for line in lines] == ["second", "first"]
    table = weir(cluster, "messages", "--watch").stdout.splitlines()
    assert [line.split()[0] for line in table] == ["NAME", "second", "first"]


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("messages", "-o", "html"), "there are table, wide, json"),
        (("messages", "deploy", "-A"), "--all-namespaces lists"),
        (("respond", "nope"), 'there is no message "nope"'),
        (("respond", "third"), "message/third (About third) was answered before"),
        (("respond", "fourth"), "is closed: its run does not wait"),
        (("respond", "other"), "do you mean"),
        (
            ("respond", "second"),
            "say its fields by --set or --response (--set version=…, --set pin",
        ),
        (("respond", "second", "--set", "version"), "write field=value"),
        (("respond", "second", "--set", "approve=perhaps"), "approve: must be true or false"),
        (("respond", "second", "--set", "versoin=1"), "versoin: there is no such field"),
        (("respond", "second", "--set", "version=1"), "one button is to be pressed"),
        (("respond", "second", "--response", "yes"), "--response is no JSON"),
        (("respond", "second", "--response", "[]"), "--response is an object"),
    ],
)
def test_what_cannot_be_listed_or_answered(arguments: tuple[str, ...], text: str) -> None:
    cluster = some()
    result = weir(cluster, *arguments)
    assert result.exit_code in (2, 4)
    assert text in result.stderr
    assert cluster.written == []


def test_of_several_one_has_to_be_named() -> None:
    cluster = FakeCluster(message("a", body=FORM), message("b", body=FORM))
    for arguments in ((), ("deploy",)):
        result = weir(cluster, "respond", *arguments)
        assert result.exit_code == 2
        assert "wait for an answer: say which: a, b" in result.stderr
    assert "no message waits for an answer" in weir(FakeCluster(), "respond").stderr


ACCEPTED = {"accepted": True, "observedGeneration": 1}


@pytest.mark.parametrize("word", [(), ("second",), ("message/second",), ("deploy",)])
def test_without_a_server_the_response_is_patched(word: tuple[str, ...]) -> None:
    cluster = FakeCluster(message("second", body=FORM), message("notice"))
    cluster.steps["second"] = [ACCEPTED]
    result = weir(cluster, "respond", *word, "--set", "version=1", "--set", "approve=true")
    assert result.exit_code == 0, result.stderr
    body = {"spec": {"response": {"version": "1", "approve": True}}}
    assert cluster.written == [("patch", "second", body)]
    assert result.stdout == "message/second answered\n"
    assert "answered without Weir's server" in result.stderr


def test_what_a_refused_response_held_is_taken_back() -> None:
    cluster = FakeCluster(message("second", body=FORM, response={"versoin": "1", "version": "1"}))
    cluster.steps["second"] = [ACCEPTED]
    weir(cluster, "respond", "second", "--response", '{"version": "2", "reject": true}')
    ((_, _, body),) = cluster.written
    assert body["spec"]["response"] == {"versoin": None, "version": "2", "reject": True}


def test_a_message_of_a_run_below_is_found_by_its_root() -> None:
    cluster = FakeCluster(message("first", run="child", root="deploy"))
    cluster.steps["first"] = [ACCEPTED]
    assert weir(cluster, "respond", "deploy").exit_code == 0


@pytest.mark.parametrize(
    ("step", "text"),
    [
        ({"accepted": False, "error": "version: no", "observedGeneration": 1}, "version: no"),
        ({"closed": True}, "it is closed"),
    ],
)
def test_a_response_that_the_server_refuses_is_told(step: JsonObject, text: str) -> None:
    cluster = FakeCluster(message("second", body=FORM))
    cluster.steps["second"] = [step]
    result = weir(cluster, "respond", "--set", "version=1", "--set", "approve=true")
    assert result.exit_code == 4
    assert text in result.stderr
    assert result.stdout == ""


class Person:
    """Types lines, and sees what is asked."""

    def __init__(self, *lines: str) -> None:
        self._lines = list(lines)
        self.prompts: list[str] = []
        self.hidden: list[str] = []

    def read(self, prompt: str) -> str:
        self.prompts.append(prompt)
        if not self._lines:
            raise Abandoned
        return self._lines.pop(0)

    def read_hidden(self, prompt: str) -> str:
        self.hidden.append(prompt)
        return self.read(prompt)

    def fills_in(self, body: JsonObject | None, request: str | None = None) -> JsonObject:
        prompter = Prompter(Terminal(), self.read, self.read_hidden)
        return prompter.fill_in(forms.form(body, request), subject="Release?", text="**Ready**")


def properties(**fields: JsonObject) -> JsonObject:
    return {"properties": fields}


@pytest.mark.parametrize(
    ("body", "typed", "response"),
    [
        pytest.param(None, [""], {}, id="OK"),
        pytest.param(properties(a={}), ["Ada", ""], {"a": "Ada"}, id="a text"),
        pytest.param(properties(a={}), ["", ""], {}, id="left out"),
        pytest.param(properties(a={"default": "x"}), ["", ""], {}, id="the default"),
        pytest.param(
            properties(a={"element": "number"}), ["three", "3", ""], {"a": 3}, id="asked again"
        ),
        pytest.param(properties(a={"element": "toggle"}), ["y", ""], {"a": True}, id="a toggle"),
        pytest.param(
            properties(a={"enum": ["red", "blue"]}), ["3", "2", ""], {"a": "blue"}, id="by number"
        ),
        pytest.param(properties(a={"enum": ["1", "9"]}), ["9", ""], {"a": "9"}, id="by value"),
        pytest.param(
            properties(a={"element": "submit"}, b={"element": "submit", "label": "No"}),
            ["maybe", "no"],
            {"b": True},
            id="a button by its label",
        ),
        pytest.param(
            properties(a={"element": "submit"}, b={"element": "submit"}), ["1"], {"a": True}
        ),
        pytest.param(properties(go={"element": "submit"}), [""], {"go": True}, id="the button"),
        pytest.param(
            properties(a={"element": "markdown", "description": "# Hi"}), [""], {}, id="a text only"
        ),
    ],
)
def test_a_form_is_filled_in(body: JsonObject, typed: list[str], response: JsonObject) -> None:
    assert Person(*typed).fills_in(body) == response


def test_required_fields_are_asked_for_until_they_are_given(
    capsys: pytest.CaptureFixture[str],
) -> None:
    person = Person("", "Ada", "")
    assert person.fills_in(None, "Your name") == {"string": "Ada"}
    assert person.prompts[0] == "Your name: "
    told = capsys.readouterr().err
    assert told.startswith("Release?\n\n**Ready**\n")
    assert "is required" in told


def test_passwords_are_read_without_showing_them() -> None:
    body = properties(pin={"element": "password", "default": "0000"}, name={"example": "Ada"})
    person = Person("1234", "", "")
    assert person.fills_in(body) == {"pin": "1234"}
    assert person.hidden == ["pin [***]: "]
    assert person.prompts[1] == "name (such as Ada, may be left out): "


def test_who_leaves_off_sends_nothing() -> None:
    with pytest.raises(Abandoned):
        Person().fills_in(FORM)


def test_what_a_script_says_does_not_steer_the_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = properties(a={"label": "\x1b[31mred", "description": "\x1b]0;title\x07x"})
    person = Person("", "")
    person.fills_in(body)
    assert "\x1b" not in capsys.readouterr().err + "".join(person.prompts)
