"""Runs cases without a cluster."""

from __future__ import annotations

import weir_local
from tests.conformance.cases import Case, shared_flows
from tests.conformance.outcomes import Outcome, outcome


def run(case: Case) -> Outcome:
    """Run a case and return how it ended."""
    result = weir_local.run(
        case.script,
        case.inputs,
        flows={**shared_flows(), **case.flows},
        answers=case.answers,
        during=[(step.when, step.do) for step in case.during],
    )
    return outcome(
        status=result.status,
        reason=result.reason,
        message=result.message,
        outputs=result.outputs,
        log=[line.text for line in result.log if line.stream in ("log", "stdout")],
        children=[child.status for child in result.children],
    )
