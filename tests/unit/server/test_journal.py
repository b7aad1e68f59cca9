"""Whether a resumed run asks for the same, and whether its journal is whole."""

from typing import Any

import pytest

from weir.core import journal
from weir_protocol.arguments import (
    AcquireArguments,
    ArchiveArguments,
    CachedArguments,
    CancelArguments,
    ChildArguments,
    ChildrenArguments,
    DeleteArguments,
    DeleteRecordArguments,
    GetRecordArguments,
    ListRecordsArguments,
    MessageArguments,
    OnceArguments,
    PauseArguments,
    ReadArguments,
    ReleaseArguments,
    ResponseArguments,
    RunArguments,
    SaveArguments,
    SaveRecordArguments,
    SleepArguments,
    WaitArguments,
)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param(ChildArguments(flow="greet"), "flow greet", id="a flow by its name"),
        pytest.param(ChildArguments(script="x"), "an inline script", id="a script by being one"),
        pytest.param(ChildArguments(connector="r"), "connection r", id="a connector by its name"),
        pytest.param(
            ChildArguments(connector="r", connector_type="GIT"),
            "connection r of type GIT",
            id="a connector with its type",
        ),
        pytest.param(ChildArguments(connector_type="GIT"), "connection GIT", id="a type"),
        pytest.param(
            WaitArguments(uids=["a", "b"]), "ALL_SUCCEEDED of a, b", id="a wait by what it is for"
        ),
        pytest.param(RunArguments(uid="a"), "execution a", id="a start"),
        pytest.param(ReadArguments(uid="a"), "execution a", id="a read"),
        pytest.param(CancelArguments(uid="a"), "execution a", id="a cancellation"),
        pytest.param(SaveArguments(message="m"), "itself", id="a save, whatever it says"),
        pytest.param(PauseArguments(uid="a"), "execution a", id="a pause"),
        pytest.param(DeleteArguments(uid="a"), "execution a", id="a deletion"),
        pytest.param(ArchiveArguments(uid="a"), "execution a", id="an archiving"),
        pytest.param(ChildrenArguments(uid="a"), "execution a", id="a list of children"),
        pytest.param(CachedArguments(flow="f"), "flow f", id="a cached flow"),
        pytest.param(CachedArguments(script="x"), "an inline script", id="a cached script"),
        pytest.param(CachedArguments(connector="r"), "connection r", id="a cached connection"),
        pytest.param(SleepArguments(seconds=3), "time", id="a sleep, however long"),
        pytest.param(OnceArguments(name="f", step="ask"), "function f", id="a function"),
        pytest.param(MessageArguments(subject="Go?"), "message 'Go?'", id="a message"),
        pytest.param(ResponseArguments(name="m"), "message m", id="a response"),
        pytest.param(AcquireArguments(name="l"), "lock 'l'", id="a lock that is taken"),
        pytest.param(ReleaseArguments(name="l"), "lock 'l'", id="a lock that is freed"),
        pytest.param(GetRecordArguments(kind="file", name="f"), "file 'f'", id="a record read"),
        pytest.param(
            SaveRecordArguments(kind="setting", name="s", fields={}),
            "setting 's'",
            id="a record saved",
        ),
        pytest.param(
            DeleteRecordArguments(kind="setting", name="s"), "setting 's'", id="a record deleted"
        ),
        pytest.param(ListRecordsArguments(kind="flow"), "all of kind flow", id="a list of records"),
    ],
)
def test_target(arguments: Any, expected: str) -> None:
    assert journal.target(arguments) == expected


def test_only_arguments_have_a_target() -> None:
    with pytest.raises(TypeError):
        journal.target(object())


def test_a_target_is_short_and_still_tells_waits_apart() -> None:
    many = [f"uid-{number}" for number in range(1000)]
    one, other = (
        journal.target(WaitArguments(uids=uids)) for uids in (many, [*many[:-1], "another"])
    )
    assert len(one) < 250
    assert "1000 executions" in one
    assert one != other
    assert len(journal.target(ChildArguments(flow="f" * 1000))) < 250


def test_a_target_is_text_that_every_database_keeps() -> None:
    assert journal.target(ChildArguments(flow="a\x00b\ud800")) == "flow a\ufffdb?"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, id="the order of keys is nothing"),
        pytest.param([1, 2], [2, 1], False, id="the order of a list is something"),
        pytest.param({"a": 1}, {"a": "1"}, False, id="a text is no number"),
    ],
)
def test_digest_of_json(one: Any, other: Any, same: bool) -> None:
    assert (journal.digest_of_json(one) == journal.digest_of_json(other)) == same


def test_a_digest_knows_all_that_is_asked_for() -> None:
    one = journal.digest(ChildArguments(flow="greet", inputs={"n": 1}))
    assert one == journal.digest(ChildArguments(flow="greet", inputs={"n": 1}))
    assert one != journal.digest(ChildArguments(flow="greet", inputs={"n": 2}))


@pytest.mark.parametrize(
    ("recorded", "asked", "differs"),
    [
        pytest.param(("child", "flow a", 3), ("child", "flow a", 3), False, id="the same"),
        pytest.param(("child", "flow a", 3), ("child", "flow a", 4), False, id="a moved line"),
        pytest.param(("child", "flow a", 3), ("child", "flow b", 3), True, id="another target"),
        pytest.param(("read", "execution a", 3), ("wait", "execution a", 3), True, id="a kind"),
    ],
)
def test_difference(
    recorded: tuple[str, str, int | None], asked: tuple[str, str, int | None], differs: bool
) -> None:
    said = journal.difference(sequence=7, recorded=recorded, asked=asked)
    assert (said is not None) == differs


def test_a_difference_names_both_operations_and_their_lines() -> None:
    said = journal.difference(
        sequence=7, recorded=("child", "flow a", 3), asked=("wait", "ALL_ENDED of x", None)
    )
    assert said is not None
    for part in ("operation 7", "`child` of flow a in line 3", "`wait` of ALL_ENDED of x"):
        assert part in said


@pytest.mark.parametrize(
    ("named", "recorded", "effects", "expected"),
    [
        pytest.param("db", [1, 2, 3], {1, 3}, None, id="all is there"),
        pytest.param(None, [], set(), None, id="nothing was done yet"),
        pytest.param("other", [1], set(), "in database other", id="another database"),
        pytest.param("db", [1, 3], set(), "operation 2 is missing", id="a gap"),
        pytest.param("db", [2], set(), "operation 1 is missing", id="a gap at the begin"),
        pytest.param(None, [1], {2}, "operation 2 created", id="an effect without a record"),
    ],
)
def test_loss(
    named: str | None, recorded: list[int], effects: set[int], expected: str | None
) -> None:
    said = journal.loss(named=named, identity="db", recorded=recorded, effects=effects)
    assert (said is None) if expected is None else (said is not None and expected in said)
