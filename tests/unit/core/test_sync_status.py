"""The conditions of a FlowRepository, as kstatus reads them."""

from typing import Any

from tests.builders import NOW, after
from weir.api.reasons import Reason
from weir.api.repository import FlowRepository, RejectedFile
from weir.api.resource import Condition, render_time
from weir.core import sync_status


def repository(*conditions: Condition) -> FlowRepository:
    status: dict[str, Any] = {"conditions": [one.dump() for one in conditions]}
    return FlowRepository.model_validate(
        {
            "metadata": {"name": "flows", "generation": 3},
            "spec": {"url": "https://git.example/flows"},
            "status": status,
        }
    )


def shown(conditions: list[Condition]) -> dict[str, tuple[str, str]]:
    return {str(one.type): (one.status, str(one.reason)) for one in conditions}


def test_the_first_sync_is_unknown_and_moving() -> None:
    conditions = sync_status.begun(repository(), "fetching", NOW)
    assert shown(conditions) == {
        "Ready": ("Unknown", "Syncing"),
        "Reconciling": ("True", "Syncing"),
    }


def test_a_later_sync_leaves_ready_as_it_was() -> None:
    ready = sync_status.synced(repository(), "2 objects", NOW)
    conditions = sync_status.begun(repository(*ready), "fetching", after(60))
    assert shown(conditions) == {"Ready": ("True", "Synced"), "Reconciling": ("True", "Syncing")}
    assert conditions[0].last_transition_time == NOW


def test_what_is_synced_neither_moves_nor_is_stuck() -> None:
    moving = sync_status.begun(repository(), "fetching", NOW)
    conditions = sync_status.synced(repository(*moving), "2 objects", after(1))
    assert shown(conditions) == {"Ready": ("True", "Synced")}
    assert conditions[0].dump() == {
        "type": "Ready",
        "status": "True",
        "reason": "Synced",
        "message": "2 objects",
        "observedGeneration": 3,
        "lastTransitionTime": render_time(after(1), exact=True),
    }


def test_what_time_may_mend_goes_on_moving() -> None:
    failed = sync_status.failed(repository(), Reason.FETCH_FAILED, "away", moves=True, now=NOW)
    assert shown(failed) == {
        "Ready": ("False", "FetchFailed"),
        "Reconciling": ("True", "FetchFailed"),
    }


def test_what_needs_a_person_is_stalled() -> None:
    reason = Reason.AUTHENTICATION_FAILED
    failed = sync_status.failed(repository(), reason, "wrong", moves=False, now=NOW)
    assert shown(failed) == {"Ready": ("False", str(reason)), "Stalled": ("True", str(reason))}


def test_one_that_is_left_alone_says_so() -> None:
    conditions = sync_status.suspended(repository(), NOW)
    assert shown(conditions) == {"Ready": ("False", "Suspended")}


def test_the_message_names_the_first_files_that_were_not_taken_and_counts_the_rest() -> None:
    one = RejectedFile(path="a.py", reason=Reason.SYNTAX_ERROR, message="line 1")
    assert sync_status.of_rejected([one]) == "1 file was not taken: a.py: SyntaxError: line 1"
    many = sync_status.of_rejected([one] * 5)
    assert many.startswith("5 files were not taken: a.py: SyntaxError: line 1; a.py: ")
    assert many.endswith("; and 2 more")
