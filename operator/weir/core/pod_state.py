"""What a Pod's status means for the run in it. The one place that reads Pods."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from weir.api.resource import JsonObject, parse_time
from weir.core.pods import CONTAINER

_LONGEST = 500
# Kubernetes prints a Pod's whole history into some of its messages.
_UNKNOWN_STATUS = "ContainerStatusUnknown"
_CANNOT_RUN = frozenset({"StartError", "ContainerCannotRun"})
_IMAGE_TROUBLE = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
    }
)
_CONFIG_TROUBLE = frozenset(
    {"CreateContainerConfigError", "CreateContainerError", "RunContainerError"}
)
# The scheduler's words for nodes that are full, not unfit.
_FULL = ("Insufficient ", "Too many pods")
# Kubernetes' own words for Pods that it takes from a node, at the Pod itself.
_TAKEN_AWAY = frozenset(
    {"Evicted", "NodeLost", "NodeShutdown", "Terminated", "Shutdown", "Preempting", "NodeAffinity"}
)


class PodPhase(StrEnum):
    """Where a Pod stands, as a run sees it."""

    ABSENT = "absent"  # there is none
    WAITING = "waiting"  # made, but nothing of it runs
    RUNNING = "running"
    ENDED = "ended"  # its process ended by itself: `exit_code`
    LOST = "lost"  # ended by the cluster: evicted, preempted, node gone, refused by the node
    DELETING = "deleting"  # somebody deleted it; its process may still run


@dataclass(frozen=True, kw_only=True)
class PodState:
    """One Pod, reduced to what decisions need."""

    phase: PodPhase
    name: str = ""
    uid: str = ""
    node: str | None = None
    created: datetime | None = None
    has_run: bool = False  # its process has begun, so the script may have
    started: datetime | None = None  # when the process began
    ended: datetime | None = None
    exit_code: int | None = None
    out_of_memory: bool = False
    memory_limited: bool = False
    cannot_run: bool = False  # the runtime could not even start the process
    lacks_room: bool = False  # no node has enough left for it
    trouble: str | None = None  # for people: why it does not start, or what ended it
    gone_by: datetime | None = None  # DELETING: when its node should have stopped it


ABSENT = PodState(phase=PodPhase.ABSENT)


def pod_state(pod: JsonObject | None) -> PodState:
    """Return what a Pod, as the API has it, means; None is an absent Pod."""
    if pod is None:
        return ABSENT
    metadata, spec, status = pod["metadata"], pod.get("spec", {}), pod.get("status", {})
    container = _runner_of(status.get("containerStatuses"))
    state = container.get("state") or {}
    ended, running = state.get("terminated"), state.get("running")
    seen: dict[str, Any] = {
        "name": metadata["name"],
        "uid": metadata.get("uid", ""),
        "node": spec.get("nodeName"),
        "created": _time(metadata.get("creationTimestamp")),
        "started": _time((running or ended or {}).get("startedAt")),
        "has_run": bool(running or ended) or bool(container.get("lastState")),
        "memory_limited": _has_memory_limit(spec),
    }
    if ended and ended.get("reason") in _CANNOT_RUN:
        seen |= {"cannot_run": True, "has_run": False}
    if metadata.get("deletionTimestamp"):
        return _deleting(metadata["deletionTimestamp"], ended, seen)
    if status.get("phase") == "Unknown" or _was_taken(status):
        return PodState(phase=PodPhase.LOST, trouble=_why_taken(status), **seen)
    if ended and ended.get("reason") == _UNKNOWN_STATUS:
        return PodState(phase=PodPhase.LOST, trouble="its node lost sight of it", **seen)
    if ended:
        return PodState(phase=PodPhase.ENDED, trouble=_why_ended(ended), **_end(ended), **seen)
    if status.get("phase") in ("Failed", "Succeeded"):
        # No container ever ran: the node refused the Pod (OutOfcpu, UnexpectedAdmissionError, …).
        return PodState(phase=PodPhase.LOST, trouble=_why_taken(status), **seen)
    if running:
        return PodState(phase=PodPhase.RUNNING, **seen)
    return PodState(
        phase=PodPhase.WAITING,
        trouble=_why_waiting(pod, state.get("waiting") or {}),
        lacks_room=_lacks_room(status),
        **seen,
    )


def _deleting(timestamp: str, ended: JsonObject | None, seen: dict[str, Any]) -> PodState:
    # A Pod's deletionTimestamp is the moment at which its grace is over.
    return PodState(
        phase=PodPhase.DELETING,
        trouble="the Pod was deleted",
        gone_by=parse_time(timestamp),
        ended=_time(ended.get("finishedAt")) if ended else None,
        **seen,
    )


def _runner_of(statuses: list[JsonObject] | None) -> JsonObject:
    return next((one for one in statuses or [] if one.get("name") == CONTAINER), {})


def _has_memory_limit(spec: JsonObject) -> bool:
    return any(
        "memory" in ((one.get("resources") or {}).get("limits") or {})
        for one in spec.get("containers", [])
        if one.get("name") == CONTAINER
    )


def _was_taken(status: JsonObject) -> bool:
    if status.get("phase") not in ("Failed", "Succeeded"):
        return False
    disrupted = any(
        one.get("type") == "DisruptionTarget" and one.get("status") == "True"
        for one in status.get("conditions") or []
    )
    return disrupted or status.get("reason") in _TAKEN_AWAY


def _why_taken(status: JsonObject) -> str:
    conditions: list[JsonObject] = status.get("conditions") or []
    target = next((one for one in conditions if one.get("type") == "DisruptionTarget"), {})
    reason = status.get("reason") or target.get("reason") or "node lost"
    message = status.get("message") or target.get("message") or ""
    return f"{reason}: {message}"[:_LONGEST].strip(": ")


def _end(ended: JsonObject) -> dict[str, Any]:
    return {
        "ended": _time(ended.get("finishedAt")),
        "exit_code": int(ended.get("exitCode", 0)),
        "out_of_memory": ended.get("reason") == "OOMKilled",
    }


def _why_ended(ended: JsonObject) -> str | None:
    message = str(ended.get("message") or "")
    return f"{ended.get('reason', '')}: {message}"[:_LONGEST] if message else None


def _why_waiting(pod: JsonObject, waiting: JsonObject) -> str | None:
    """Say for people why a Pod does not start; None while nothing is wrong yet."""
    reason, message = str(waiting.get("reason", "")), str(waiting.get("message", ""))
    if reason in _IMAGE_TROUBLE:
        return f"the image {_image(pod)} cannot be pulled ({reason}): {message}"[:_LONGEST]
    if reason in _CONFIG_TROUBLE:
        return f"the container cannot be made ({reason}): {message}"[:_LONGEST]
    for condition in pod.get("status", {}).get("conditions") or []:
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"no node takes the Pod: {condition.get('message', '')}"[:_LONGEST]
    if reason and reason not in ("ContainerCreating", "PodInitializing"):
        return f"{reason}: {message}"[:_LONGEST].strip(": ")
    return None


def _lacks_room(status: JsonObject) -> bool:
    """Whether a node would take the Pod if only there were fewer others on it."""
    return any(
        condition.get("type") == "PodScheduled"
        and condition.get("status") == "False"
        and any(words in str(condition.get("message")) for words in _FULL)
        for condition in status.get("conditions") or []
    )


def _image(pod: JsonObject) -> str:
    containers = pod.get("spec", {}).get("containers", [])
    return next((str(one.get("image")) for one in containers if one.get("name") == CONTAINER), "?")


def _time(text: str | None) -> datetime | None:
    return parse_time(text) if text else None
