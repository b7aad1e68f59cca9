"""Who holds a lock."""

import pytest

from tests.builders import execution, execution_object
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.api.setting import Holder, Setting
from weir.core.locking import holds, is_held_by, signature, status

HOLDER = Holder(execution="run", uid="execution-run", try_number=1)


def setting(**fields: JsonObject | str) -> Setting:
    return Setting.model_validate({"metadata": {"name": "printer"}, "spec": {}, "status": fields})


@pytest.mark.parametrize(
    ("state", "held"),
    [
        pytest.param({"phase": "Running"}, True, id="a run that runs has it"),
        pytest.param({"phase": "Paused", "try": 1}, True, id="so does a paused one"),
        pytest.param({"phase": "Queued", "attempt": 2}, True, id="and one that lost its Pod"),
        pytest.param({"phase": "Queued", "try": 2}, False, id="the next try takes it anew"),
        pytest.param({"phase": "Succeeded"}, False, id="a success frees it"),
        pytest.param({"phase": "Failed"}, False, id="a failure frees it"),
        pytest.param({"phase": "Cancelled"}, False, id="a cancellation frees it"),
    ],
)
def test_a_lock_is_held_until_its_try_has_ended(state: JsonObject, held: bool) -> None:
    assert holds(HOLDER, execution(status=state)) is held


def test_another_run_of_the_same_name_does_not_have_it() -> None:
    other = Execution.model_validate(execution_object(metadata={"uid": "made-anew"}))
    assert not holds(HOLDER, other)


def test_a_lock_is_held_by_one_try() -> None:
    held = setting(holder=HOLDER.dump())
    assert is_held_by(held, "execution-run", 1)
    assert not is_held_by(held, "execution-run", 2)
    assert not is_held_by(held, "other", 1)
    assert not is_held_by(setting(), "execution-run", 1)


def test_a_holder_is_written_in_the_version_that_was_read() -> None:
    assert status(HOLDER, "2026-11-24T12:00:00Z", "7") == {
        "metadata": {"resourceVersion": "7"},
        "status": {
            "holder": {"execution": "run", "uid": "execution-run", "try": 1},
            "since": "2026-11-24T12:00:00Z",
        },
    }
    assert status(None, None, "8")["status"] == {"holder": None, "since": None}


def test_a_lock_that_was_taken_anew_is_another_one() -> None:
    first = setting(holder=HOLDER.dump(), since="2026-11-24T12:00:00.000001Z")
    again = setting(holder=HOLDER.dump(), since="2026-11-24T12:00:00.000002Z")
    assert len({signature(one) for one in (first, again, setting())}) == 3
    assert signature(setting(holder=HOLDER.dump())) == "execution-run/1/"
