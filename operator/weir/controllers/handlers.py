"""Kopf's handlers: each takes in what a watch tells, and nothing more.

Level-triggered only: no `on.create` or `on.update`, whose progress Kopf would write into objects.
"""

from collections.abc import Callable
from typing import Any

import kopf

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Key, Resource
from weir.api.schedule import Schedule
from weir.controllers.intake import Intake

registry = kopf.OperatorRegistry()


class Memo(kopf.Memo):
    """What Kopf hands to each handler. It copies it for each object; all copies are this one."""

    def __init__(self, intake: Intake) -> None:
        super().__init__()
        self.intake = intake

    def __copy__(self) -> "Memo":
        return self


def _listen(
    kind: type[Resource],
    take: Callable[[Intake, JsonObject], None],
    let_go: Callable[[Intake, Key, str], None],
) -> None:
    """Take in all that is made or changed of a kind, and let go of what is deleted."""

    @kopf.on.event(names.GROUP, names.VERSION, kind.PLURAL, registry=registry, id=kind.PLURAL)
    async def changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
        item, metadata = dict(event["object"]), event["object"]["metadata"]
        if event["type"] == "DELETED":
            let_go(memo.intake, (metadata["namespace"], metadata["name"]), metadata["uid"])
        else:
            take(memo.intake, item)


_listen(Flow, Intake.flow, Intake.flow_gone)
_listen(Connector, Intake.connector, Intake.connector_gone)
_listen(Schedule, Intake.schedule, Intake.schedule_gone)
_listen(FlowRepository, Intake.repository, Intake.repository_gone)
_listen(Execution, Intake.execution, Intake.execution_gone)
