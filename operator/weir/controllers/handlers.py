"""Kopf's handlers: each takes in what a watch tells, and nothing more.

Level-triggered only: no `on.create` or `on.update`, whose progress Kopf would write into objects.
"""

from typing import Any

import kopf

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.repository import FlowRepository
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


@kopf.on.event(names.GROUP, names.VERSION, Flow.PLURAL, registry=registry)
async def flow_changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A Flow was made, changed or deleted."""
    item, metadata = dict(event["object"]), event["object"]["metadata"]
    if event["type"] == "DELETED":
        memo.intake.flow_gone((metadata["namespace"], metadata["name"]), metadata["uid"])
    else:
        memo.intake.flow(item)


@kopf.on.event(names.GROUP, names.VERSION, Connector.PLURAL, registry=registry)
async def connector_changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A Connector was made, changed or deleted."""
    item, metadata = dict(event["object"]), event["object"]["metadata"]
    if event["type"] == "DELETED":
        memo.intake.connector_gone((metadata["namespace"], metadata["name"]), metadata["uid"])
    else:
        memo.intake.connector(item)


@kopf.on.event(names.GROUP, names.VERSION, Schedule.PLURAL, registry=registry)
async def schedule_changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A Schedule was made, changed or deleted."""
    item, metadata = dict(event["object"]), event["object"]["metadata"]
    if event["type"] == "DELETED":
        memo.intake.schedule_gone((metadata["namespace"], metadata["name"]), metadata["uid"])
    else:
        memo.intake.schedule(item)


@kopf.on.event(names.GROUP, names.VERSION, FlowRepository.PLURAL, registry=registry)
async def repository_changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """A FlowRepository was made, changed or deleted."""
    item, metadata = dict(event["object"]), event["object"]["metadata"]
    if event["type"] == "DELETED":
        memo.intake.repository_gone((metadata["namespace"], metadata["name"]), metadata["uid"])
    else:
        memo.intake.repository(item)


@kopf.on.event(names.GROUP, names.VERSION, Execution.PLURAL, registry=registry)
async def execution_changed(event: kopf.RawEvent, memo: Memo, **_: Any) -> None:
    """An Execution was made, changed or deleted."""
    item, metadata = dict(event["object"]), event["object"]["metadata"]
    if event["type"] == "DELETED":
        memo.intake.execution_gone((metadata["namespace"], metadata["name"]), metadata["uid"])
    else:
        memo.intake.execution(item)
