"""Whether a Flow or a Connector may be used: the reason and message of its Ready condition."""

import dataclasses
from typing import NamedTuple

from weir.api.connector import Connector
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.schedule import Schedule
from weir.api.webhook import Webhook
from weir.core import requirements
from weir.core.lookup import Catalog
from weir.core.pods import is_reserved
from weir_connectors import registry
from weir_connectors.errors import InputError, MissingInputError, UnknownTypeError
from weir_protocol import schemas, scripts


class Verdict(NamedTuple):
    """What the Ready condition says."""

    ready: bool
    reason: Reason
    message: str


READY = Verdict(True, Reason.READY, "may be used")


def check_flow(flow: Flow, others: Catalog[Flow]) -> Verdict:
    """Return whether a Flow may be run; `others` are the Flows of its namespace."""
    older = others.title_taken_by(flow)
    if older is not None:
        return Verdict(False, Reason.TITLE_TAKEN, taken(flow, older))
    problem = scripts.problem_with(flow.spec.script)
    if problem is not None:
        return Verdict(False, Reason(problem.reason), problem.message)
    for field, schema in (
        ("inputSchema", flow.spec.input_schema),
        ("outputSchema", flow.spec.output_schema),
    ):
        found = schemas.problem_with_schema(schema) if schema is not None else None
        if found is not None:
            return Verdict(False, Reason.INVALID_SCHEMA, f"spec.{field}: {found}")
    wrong = requirements.problem_with(flow.spec.requirements or [])
    if wrong is not None:
        return Verdict(False, Reason.INVALID_REQUIREMENTS, f"spec.requirements: {wrong}")
    for variable in (flow.spec.runner and flow.spec.runner.env) or []:
        if is_reserved(variable.name):
            message = f"spec.runner.env: {variable.name} is set by Weir itself"
            return Verdict(False, Reason.INVALID_SPEC, message)
    return READY


def check_connector(
    connector: Connector, others: Catalog[Connector], missing_secrets: list[str]
) -> Verdict:
    """Return whether connections may use a Connector.

    `missing_secrets` names the Secrets, with their keys, that it refers to and that are not there.
    """
    older = others.title_taken_by(connector)
    if older is not None:
        return Verdict(False, Reason.TITLE_TAKEN, taken(connector, older))
    inputs = connector.spec.inputs or {}
    secret = [one.input for one in connector.spec.secret_inputs]
    try:
        # What a Connector leaves open, the call gives: here only what it sets must fit.
        open_ = _required(connector.spec.type) - inputs.keys()
        registry.check(connector.spec.type, inputs, {*secret, *open_})
    except UnknownTypeError as error:
        return Verdict(False, Reason.UNKNOWN_TYPE, str(error))
    except MissingInputError:
        pass
    except InputError as error:
        return Verdict(False, Reason.INVALID_SPEC, f"spec.inputs: {error}")
    if missing_secrets:
        message = f"not found: {', '.join(missing_secrets)}"
        return Verdict(False, Reason.SECRET_NOT_FOUND, message)
    return READY


def _required(type_: str) -> set[str]:
    return {
        one.name
        for one in dataclasses.fields(registry.input_model(type_))
        if one.default is dataclasses.MISSING and one.default_factory is dataclasses.MISSING
    }


def taken(
    mine: Flow | Connector | Schedule | Webhook, older: Flow | Connector | Schedule | Webhook
) -> str:
    """Say why an older object of its kind keeps this one from being used."""
    kind = mine.KIND
    if mine.title == older.metadata.name:
        return f"the title {mine.title!r} is the name of {kind} {older.metadata.name}"
    if mine.title == older.title:
        return f"{kind} {older.metadata.name} has the title {mine.title!r} already"
    return f"its name is the title of {kind} {older.metadata.name}"
