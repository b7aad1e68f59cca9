"""Whose attempt it is when something is written about it."""

import pytest

from tests.builders import execution
from weir.api.resource import JsonObject
from weir.server.refusals import Refused
from weir.server.runs import require_pod


def runs_in(pod_uid: str) -> JsonObject:
    return {"phase": "Running", "runner": {"pod": "run-x1", "podUID": pod_uid}}


def test_the_pod_that_runs_it_may() -> None:
    require_pod(execution(status=runs_in("pod-1")), "pod-1")


@pytest.mark.parametrize(
    ("status", "code"),
    [
        pytest.param(runs_in("pod-2"), "Fenced", id="another Pod has taken over"),
        pytest.param({"phase": "Queued"}, "Fenced", id="between two tries it is nobody's"),
        pytest.param(runs_in("pod-1") | {"phase": "Failed"}, "Ended", id="it has ended"),
    ],
)
def test_any_other_may_not(status: JsonObject, code: str) -> None:
    with pytest.raises(Refused) as refused:
        require_pod(execution(status=status), "pod-1")
    assert refused.value.refusal.code == code
