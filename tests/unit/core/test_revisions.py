from typing import Any

import pytest

from tests.builders import flow
from weir.core.revisions import KEPT, KnownRevision, manifest, revision_of, to_sweep

A_FLOW = ("demo", "hello")


def known(number: int, flow_name: str = "hello") -> KnownRevision:
    return KnownRevision("demo", f"{flow_name}-{number}", flow_name, number)


@pytest.mark.parametrize(
    ("change", "is_another"),
    [
        pytest.param({"script": "def handler(a, b): 1"}, True, id="another script"),
        pytest.param({"timeout": "5m"}, True, id="another timeout"),
        pytest.param({"runner": {"image": "mine"}}, True, id="another image"),
        pytest.param({"title": "Hello"}, False, id="a title is no matter of running"),
        pytest.param({"maxConcurrent": 3}, False, id="nor is how many run at once"),
        pytest.param({"suspend": True}, False, id="nor is being suspended"),
        pytest.param({"ttlAfterFinished": "1h"}, False, id="nor is how long runs are kept"),
    ],
)
def test_a_revision_is_of_the_runnable_part(change: dict[str, Any], is_another: bool) -> None:
    assert (revision_of(flow(**change).spec) != revision_of(flow().spec)) is is_another


def test_a_revision_is_kept_under_a_name_made_of_its_content() -> None:
    kept = manifest(flow(metadata={"generation": 7}))
    revision = revision_of(flow().spec)

    assert kept["metadata"]["name"] == f"hello-{revision[:10]}"
    assert kept["revision"] == 7
    assert kept["data"] == flow().spec.runnable()
    assert "ownerReferences" not in kept["metadata"]


@pytest.mark.parametrize(
    ("revisions", "flows", "needed", "swept"),
    [
        pytest.param([known(1)], {A_FLOW}, set(), [], id="a Flow keeps its revisions"),
        pytest.param(
            [known(number) for number in range(KEPT + 2)],
            {A_FLOW},
            set(),
            [known(1), known(0)],
            id="beyond the last ten the oldest go",
        ),
        pytest.param(
            [known(number) for number in range(KEPT + 2)],
            {A_FLOW},
            {("demo", "hello-0")},
            [known(1)],
            id="what a live run uses stays",
        ),
        pytest.param([known(1)], set(), set(), [known(1)], id="a Flow's last go with it"),
        pytest.param(
            [known(1), known(2)],
            set(),
            {("demo", "hello-1")},
            [known(2)],
            id="but not under a live run",
        ),
        pytest.param(
            [known(1), known(1, "other")],
            {A_FLOW},
            set(),
            [known(1, "other")],
            id="each Flow is a case of its own",
        ),
    ],
)
def test_what_nothing_needs_is_swept(
    revisions: list[KnownRevision],
    flows: set[tuple[str, str]],
    needed: set[tuple[str, str]],
    swept: list[KnownRevision],
) -> None:
    assert to_sweep(revisions, flows=flows, needed=needed) == swept
