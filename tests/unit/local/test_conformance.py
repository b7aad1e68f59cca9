"""Every case of the conformance suite without a cluster, and whether cases are missing."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import flow_api
from tests.conformance import local
from tests.conformance.cases import FLOWS, FOLDER, Case, load
from tests.conformance.outcomes import differences

CASES = load()

# What cases cannot show, and why.
LEFT_OUT = {
    "get_env_name": "an installation's own word",
    "get_own_user": "an installation's own word",
    "schedule": "there are no schedules yet",
    "schedules": "there are no schedules yet",
    "webhook": "there are no webhooks yet",
    "webhooks": "there are no webhooks yet",
    "vault": "needs a Vault",
    "secret": "needs a Vault",
    "write_secret": "needs a Vault",
    "LifecycleSignal": "the root of the signals, which scripts do not catch",
    "ExecutionCancel": "a signal",
    "ExecutionError": "a signal",
    "ExecutionSuccess": "a signal",
}


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_case_ends_as_it_must(case: Case) -> None:
    assert differences(case, local.run(case)) == []


def test_there_are_cases_for_all_that_is_public() -> None:
    texts = "\n".join(path.read_text() for path in [*FOLDER.glob("*.yaml"), Path(FLOWS)])
    words = set(re.findall(r"\w+", texts))
    assert sorted(set(_public()) - words - LEFT_OUT.keys()) == []


def test_there_are_enough_cases() -> None:
    assert len(CASES) >= 120


def _public() -> Iterator[str]:
    """Yield the names of flow_api's exceptions, and of the methods of what scripts get."""
    for name in flow_api.__all__:
        one = getattr(flow_api, name)
        if not inspect.isclass(one):
            continue
        if issubclass(one, BaseException):
            yield name
            continue
        yield from (
            method
            for method, value in inspect.getmembers(one, inspect.isfunction)
            if not method.startswith("_")
        )
