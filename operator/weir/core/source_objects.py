"""Objects from files: their specs held strictly to the models, and digests of specs."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple, get_args, get_origin

from pydantic import BaseModel, ValidationError

from weir.api import durations, names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.repository import DEFAULT_KINDS, FlowRepositorySpec
from weir.api.resource import JsonObject, Metadata, Resource
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook
from weir.core.lookup import Catalog
from weir.core.readiness import READY, Verdict, check_connector, check_flow
from weir.core.sources import NotTaken
from weir.core.timings import InvalidTiming, timing_of
from weir_protocol import schemas
from weir_protocol.writing import MAX_VALUE

MODELS: dict[str, type[Resource]] = {
    one.KIND: one for one in (Flow, Execution, Connector, Setting, Schema, Schedule, Webhook)
}
"""The kinds that files may bring."""

_LONGEST = 200
_LARGEST_INTEGER = 2**63 - 1
# A Schedule in a file has no age yet; which it will have does not matter.
_SOME_TIME = datetime(2000, 1, 1, tzinfo=UTC)


class Found(NamedTuple):
    """An object as a file has it."""

    kind: str
    name: str
    spec: JsonObject
    labels: Mapping[str, str] = MappingProxyType({})
    annotations: Mapping[str, str] = MappingProxyType({})
    hint: str = ""
    """How its name is changed, to be put behind a sentence."""

    @property
    def title(self) -> str | None:
        """Its title, if it has one."""
        title: str | None = self.spec.get("title")
        return title


def digest_of(kind: str, spec: JsonObject) -> str:
    """Return the sha256, in hex, of what a spec says.

    Equal for specs that mean the same to Weir: defaults count as left out, and numbers are taken as
    the API server gives them back.
    """
    try:
        model = _spec_model(kind).model_validate(spec)
        said = model.model_dump(
            mode="json", by_alias=True, exclude_defaults=True, exclude_none=True
        )
    except (ValidationError, KeyError):
        said = spec  # of a newer version; it differs from whatever a file says
    canonical = json.dumps([kind, _numbers(said)], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def checked_spec(kind: str, spec: Any, *, where: str = "spec") -> JsonObject:
    """Return a spec as it is to be written, when each field is one of the model and fits it.

    Raises NotTaken.
    """
    if not isinstance(spec, dict):
        raise NotTaken(Reason.INVALID_SPEC, f"{where} is no mapping of fields to values")
    model = _spec_model(kind)
    unknown = next(_unknown(model, spec, where), None)
    if unknown is not None:
        raise NotTaken(Reason.INVALID_SPEC, f"{unknown} of a {kind}")
    try:
        parsed = model.model_validate_json(json.dumps(spec), strict=True)
    except ValidationError as error:
        raise NotTaken(Reason.INVALID_SPEC, _told(error, where)) from None
    return parsed.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True)


def require_allowed(kind: str, spec: FlowRepositorySpec) -> None:
    """Raise NotTaken for a kind that a FlowRepository may not bring."""
    if kind not in (DEFAULT_KINDS if spec.kinds is None else spec.kinds):
        message = f"{kind} is none of the kinds of this FlowRepository: name it in spec.kinds"
        if kind not in DEFAULT_KINDS:
            message += ", with a spec.serviceAccountName"
        raise NotTaken(Reason.KIND_NOT_ALLOWED, message)
    if kind not in DEFAULT_KINDS and spec.service_account_name is None:
        message = f"{kind} is brought only with the rights of a spec.serviceAccountName: name one"
        raise NotTaken(Reason.KIND_NOT_ALLOWED, message)


def require_usable(kind: str, name: str, namespace: str, spec: JsonObject) -> None:
    """Raise NotTaken for an object that Weir would find not to be Ready, whatever else is there."""
    metadata = Metadata(name=name, namespace=namespace, creation_timestamp=_SOME_TIME)
    try:
        thing = MODELS[kind].model_validate({"metadata": metadata, "spec": spec})
    except ValidationError as error:
        raise NotTaken(Reason.INVALID_SPEC, _told(error, "")) from None
    verdict = _verdict(thing)
    if not verdict.ready:
        raise NotTaken(verdict.reason, verdict.message)


def checked_name(kind: str, name: str) -> str:
    """Return an object name that the API server takes. Raises NotTaken."""
    if not names.is_object_name(name) or not _LABELS.fullmatch(name):
        message = (
            f"{name[:_LONGEST]!r} is no name of a {kind}: write at most {names.MAX_NAME} "
            "lower-case letters, digits, dots and hyphens; what people call it may be its title"
        )
        raise NotTaken(Reason.INVALID_NAME, message)
    return name


_LABELS = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")


def _verdict(thing: Resource) -> Verdict:
    match thing:
        case Flow():
            return check_flow(thing, Catalog())
        case Connector():
            return check_connector(thing, Catalog(), [])
        case Schedule():
            return _check_schedule(thing)
        case Schema():
            found = schemas.problem_with_schema(thing.spec.json_schema, also_draft_7=True)
            if found is not None:
                return Verdict(False, Reason.INVALID_SCHEMA, f"spec.schema: {found}")
        case Setting():
            size = len(json.dumps(thing.spec.value, separators=(",", ":")))
            if size > MAX_VALUE:
                message = f"the value has {size} bytes as JSON: at most {MAX_VALUE} are stored"
                return Verdict(False, Reason.TOO_LARGE, message)
    return READY


def _check_schedule(schedule: Schedule) -> Verdict:
    if (schedule.spec.cron is None) == (schedule.spec.interval is None):
        return Verdict(False, Reason.INVALID_SPEC, "spec has exactly one of cron and interval")
    try:
        timing_of(schedule)
    except InvalidTiming as error:
        return Verdict(False, error.reason, error.message)
    return READY


def _spec_model(kind: str) -> type[BaseModel]:
    annotation = MODELS[kind].model_fields["spec"].annotation
    assert isinstance(annotation, type)
    assert issubclass(annotation, BaseModel)
    return annotation


def _unknown(annotation: Any, value: Any, where: str) -> Iterator[str]:
    """Yield what is in a value and not in its model, which ignores what it does not know."""
    model = _model_in(annotation)
    if model is None:
        return
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from _unknown(model, item, f"{where}[{number}]")
    if not isinstance(value, dict):
        return
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    for key, item in value.items():
        if key in fields:
            yield from _unknown(fields[key].annotation, item, f"{where}.{key}")
            continue
        near = difflib.get_close_matches(key, fields, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        yield f"{where}.{key[:_LONGEST]}{hint} is no field"


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if get_origin(annotation) is None:
        is_model = isinstance(annotation, type) and issubclass(annotation, BaseModel)
        return annotation if is_model else None
    return next((one for one in map(_model_in, get_args(annotation)) if one is not None), None)


def _told(error: ValidationError, where: str) -> str:
    first = error.errors(include_url=False)[0]
    place = where + "".join(
        f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]
    )
    place = place.removeprefix(".")
    if (first.get("ctx") or {}).get("pattern") == durations.PATTERN:
        given = str(first["input"])[:_LONGEST]
        return f"{place}: {given!r} is no duration: write for example 90s, 5m or 1h30m"
    message = first["msg"][:1].lower() + first["msg"][1:_LONGEST]
    return f"{place}: {message}"


def _numbers(value: Any) -> Any:
    """Return a JSON value with numbers as the API server, which is written in Go, keeps them."""
    if isinstance(value, dict):
        return {key: _numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_numbers(item) for item in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, int) and abs(value) > _LARGEST_INTEGER:
        value = float(value)
    return int(value) if value == int(value) else value
