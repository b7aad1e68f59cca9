"""Which commit a run is said to come from."""

from typing import Any

import pytest

from tests.builders import HANDLER, execution, flow
from weir.api import names
from weir.api.flow import Flow
from weir.core.lookup import Catalog
from weir.core.provenance import source_of
from weir.core.syncing import digest_of
from weir.core.targets import plan_of

COMMIT = "a" * 40


def brought(script: str = HANDLER, **annotations: str | None) -> Flow:
    """Return a Flow as a FlowRepository brings it."""
    applied = {
        names.COMMIT: COMMIT,
        names.COMMIT_AUTHOR: "Ada <ada@example.com>",
        names.SOURCE_PATH: "flows/hello.py",
        names.APPLIED: digest_of(Flow.KIND, {"script": HANDLER}),
    } | {f"{names.GROUP}/{name}": text for name, text in annotations.items()}
    metadata: dict[str, Any] = {
        "labels": {names.REPOSITORY_LABEL: "team"},
        "annotations": {name: text for name, text in applied.items() if text is not None},
    }
    return flow("hello", script=script, metadata=metadata)


def test_a_flow_that_is_as_its_commit_says_names_it() -> None:
    source = source_of(brought())
    assert source is not None
    assert source.dump() == {
        "repository": "team",
        "path": "flows/hello.py",
        "commit": COMMIT,
        "author": "Ada <ada@example.com>",
    }


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(flow(), id="nobody brought it"),
        pytest.param(brought(script=f"{HANDLER}# by hand\n"), id="it was changed by hand"),
        pytest.param(brought(commit=None), id="it has no commit"),
        pytest.param(brought(applied=None), id="it has no digest"),
    ],
)
def test_any_other_flow_names_none(other: Flow) -> None:
    assert source_of(other) is None


def test_the_digest_may_be_followed_by_one_of_labels() -> None:
    digest = digest_of(Flow.KIND, {"script": HANDLER})
    assert source_of(brought(applied=f"{digest}.1234")) is not None


def test_a_run_has_its_flows_commit_and_a_draft_has_none() -> None:
    flows: Catalog[Flow] = Catalog()
    flows.put(brought())
    run = execution(flow="hello")
    draft = execution(flow="hello", draft=HANDLER, mode="Development")
    assert plan_of(run, flows, Catalog()).source == source_of(brought())
    assert plan_of(draft, flows, Catalog()).source is None
