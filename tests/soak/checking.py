"""What a soak must have left behind: each run as it must end, and nothing doubled or lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.soak.work import COUNTER, KINDS
from weir.api.execution import Execution
from weir.api.resource import JsonObject


@dataclass
class Found:
    """What is there when all runs have ended."""

    roots: list[Execution]
    children: list[Execution]
    messages: list[JsonObject]
    settings: dict[str, object]  # name: value
    posts: list[JsonObject] = field(default_factory=list)  # what the REST server received


def kind_of(root: Execution) -> tuple[str, int]:
    """Return the kind and the number that a root's name says."""
    kind, _, number = root.metadata.name.rpartition("-")
    return kind, int(number)


def troubles(found: Found) -> list[str]:
    """Return everything that is not as it must be."""
    by_parent: defaultdict[str, list[Execution]] = defaultdict(list)
    for child in found.children:
        if child.spec.parent is not None:
            by_parent[child.spec.parent.uid].append(child)
    messages = Counter(one["spec"]["execution"]["uid"] for one in found.messages)
    posts = Counter(one["n"] for one in found.posts)
    wrong: list[str] = []
    for root in found.roots:
        wrong += (f"{root.metadata.name}: {one}" for one in _of_root(root, by_parent[root.uid]))
        kind, number = kind_of(root)
        if messages[root.uid] != KINDS[kind].messages:
            wrong.append(f"{root.metadata.name}: has {messages[root.uid]} messages")
        if kind == "posts":
            wrong += (f"{root.metadata.name}: {one}" for one in _of_post(root, posts[number]))
    counted = sum(kind_of(root)[0] == "counts" for root in found.roots)
    if found.settings.get(COUNTER) != counted:
        wrong.append(f"{COUNTER} is {found.settings.get(COUNTER)}, not {counted}")
    return wrong


def _of_root(root: Execution, children: list[Execution]) -> Iterable[str]:
    name, number = kind_of(root)
    kind, status = KINDS[name], root.status
    if status.phase != kind.phase:
        yield f"is {status.phase} ({status.reason}: {status.message}), not {kind.phase}"
        return
    if kind.reason and status.reason != kind.reason:
        yield f"has reason {status.reason}, not {kind.reason}"
    if name == "remembers":
        if (status.outputs or {}).get("first") != status.message:
            yield f"remembers {status.outputs} and {status.message}"
    elif name != "posts" and (status.outputs or {}) != kind.outputs(number):
        yield f"has outputs {status.outputs}, not {kind.outputs(number)}"
    if len(children) != kind.children:
        yield f"has {len(children)} children, not {kind.children}"
    made = Counter(
        (one.spec.parent.try_number, one.spec.parent.sequence)
        for one in children
        if one.spec.parent
    )
    if any(count > 1 for count in made.values()):
        yield f"made a child twice: {made}"
    unfinished = [one.metadata.name for one in children if not one.phase.is_final]
    if unfinished:
        yield f"left {unfinished} unfinished"


def _of_post(root: Execution, received: int) -> Iterable[str]:
    outputs = root.status.outputs or {}
    if outputs.get("status") == 200:
        if received != 1:
            yield f"posted once, and {received} came"
    elif outputs.get("cut") != "RunnerLost" or received > 1:
        yield f"ended with {outputs}, and {received} posts came"
