import pytest

from tests.builders import NOW, RUNNING, after, pod_object, terminated
from weir.api.resource import JsonObject, render_time
from weir.core.pod_state import ABSENT, PodPhase, PodState, pod_state


def waiting(reason: str, message: str = "") -> JsonObject:
    return {"waiting": {"reason": reason, "message": message}}


UNSCHEDULABLE = [
    {
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient cpu.",
    }
]
DISRUPTED = [
    {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
    }
]
DELETED = {"deletionTimestamp": render_time(after(15))}


@pytest.mark.parametrize(
    ("pod", "phase"),
    [
        pytest.param(None, PodPhase.ABSENT, id="no Pod"),
        pytest.param(pod_object(), PodPhase.WAITING, id="a Pod that was just made"),
        pytest.param(
            pod_object(state=waiting("ContainerCreating")), PodPhase.WAITING, id="being created"
        ),
        pytest.param(pod_object(state=RUNNING, phase="Running"), PodPhase.RUNNING, id="running"),
        pytest.param(pod_object(state=terminated(0)), PodPhase.ENDED, id="ended well"),
        pytest.param(pod_object(state=terminated(1)), PodPhase.ENDED, id="ended badly"),
        pytest.param(
            pod_object(state=terminated(137), phase="Failed", reason="Evicted"),
            PodPhase.LOST,
            id="evicted for want of resources",
        ),
        pytest.param(
            pod_object(state=terminated(143), phase="Failed", conditions=DISRUPTED),
            PodPhase.LOST,
            id="evicted by the eviction API",
        ),
        pytest.param(
            pod_object(state=terminated(137, "ContainerStatusUnknown")),
            PodPhase.LOST,
            id="its node lost sight of it",
        ),
        pytest.param(pod_object(phase="Unknown"), PodPhase.LOST, id="its node is gone"),
        pytest.param(
            pod_object(phase="Failed", reason="OutOfcpu", message="no room"),
            PodPhase.LOST,
            id="refused by its node",
        ),
        pytest.param(
            pod_object(state=RUNNING, metadata=DELETED), PodPhase.DELETING, id="being deleted"
        ),
        pytest.param(
            pod_object(state=terminated(143), metadata=DELETED),
            PodPhase.DELETING,
            id="ended because it is being deleted",
        ),
    ],
)
def test_a_pod_stands_somewhere(pod: JsonObject | None, phase: PodPhase) -> None:
    assert pod_state(pod).phase == phase


@pytest.mark.parametrize(
    ("pod", "trouble"),
    [
        pytest.param(pod_object(), None, id="a fresh Pod has none"),
        pytest.param(pod_object(state=waiting("ContainerCreating")), None, id="creating is none"),
        pytest.param(
            pod_object(conditions=UNSCHEDULABLE),
            "no node takes the Pod: 0/1 nodes are available: 1 Insufficient cpu.",
            id="the scheduler says why",
        ),
        pytest.param(
            pod_object(state=waiting("ImagePullBackOff", "not found")),
            "the image weir-runner:test cannot be pulled (ImagePullBackOff): not found",
            id="an image is named",
        ),
        pytest.param(
            pod_object(conditions=[{"type": "PodScheduled", "status": "True"}]),
            None,
            id="a Pod that has a node has none",
        ),
        pytest.param(
            pod_object(state=waiting("CreateContainerConfigError", 'secret "x" not found')),
            'the container cannot be made (CreateContainerConfigError): secret "x" not found',
            id="a missing Secret is named",
        ),
        pytest.param(
            pod_object(state=waiting("CrashLoopBackOff", "again")),
            "CrashLoopBackOff: again",
            id="what nobody expected is told as it is",
        ),
        pytest.param(
            pod_object(phase="Failed", reason="OutOfcpu", message="no room"),
            "OutOfcpu: no room",
            id="a node says why it refuses",
        ),
        pytest.param(
            pod_object(phase="Failed", conditions=DISRUPTED),
            "EvictionByEvictionAPI: Eviction API: evicting",
            id="a disruption says why",
        ),
        pytest.param(pod_object(phase="Unknown"), "node lost", id="a lost node says nothing"),
        pytest.param(
            pod_object(state=terminated(128, "StartError", message="exec failed")),
            "StartError: exec failed",
            id="the runtime says why it cannot start",
        ),
        pytest.param(
            pod_object(state=waiting("ErrImagePull", "x" * 9999)), None, id="long texts are cut"
        ),
    ],
)
def test_trouble_is_told_for_people(pod: JsonObject, trouble: str | None) -> None:
    told = pod_state(pod).trouble

    assert len(told or "") <= 500
    if trouble is not None or told is None:
        assert told == trouble


def test_an_end_has_its_code_and_time() -> None:
    state = pod_state(pod_object(state=terminated(3)))

    assert state == PodState(
        phase=PodPhase.ENDED,
        name=state.name,
        uid="pod-1",
        created=NOW,
        has_run=True,
        started=NOW,
        ended=after(5),
        exit_code=3,
    )


@pytest.mark.parametrize(
    ("limit", "limited"), [("1Gi", True), (None, False)], ids=["with a limit", "without one"]
)
def test_out_of_memory_is_seen_with_the_limit(limit: str | None, limited: bool) -> None:
    state = pod_state(pod_object(state=terminated(137, "OOMKilled"), memory_limit=limit))

    assert state.out_of_memory
    assert state.memory_limited is limited


def test_a_process_that_could_not_be_started_has_not_run() -> None:
    state = pod_state(pod_object(state=terminated(128, "StartError")))

    assert state.cannot_run
    assert not state.has_run


def test_a_pod_without_status_is_one_that_waits() -> None:
    assert pod_state({"metadata": {"name": "x"}}).phase == PodPhase.WAITING
    assert pod_state(None) is ABSENT


def test_a_pod_that_is_being_deleted_says_when_its_node_should_be_done() -> None:
    assert pod_state(pod_object(metadata=DELETED)).gone_by == after(15)
