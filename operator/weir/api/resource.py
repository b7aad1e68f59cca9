"""What all resources share:

the base of every model, metadata, conditions, and a few field types.
"""

import sys
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel

from weir.api import durations
from weir.api.reasons import ConditionType, Reason

JsonObject = dict[str, Any]

AnyObject = Annotated[JsonObject | None, Field(json_schema_extra={"preserve": True})]
"""A field that is any JSON object."""

Duration = Annotated[
    str,
    Field(pattern=durations.PATTERN, max_length=32, examples=["90s", "2h"]),
]


def parse_time(text: str) -> datetime:
    """Return the moment that Kubernetes wrote as RFC 3339."""
    return datetime.fromisoformat(text)


def render_time(moment: datetime, *, exact: bool = False) -> str:
    """Return a moment as Kubernetes writes it:

    UTC, whole seconds, or microseconds where order matters.
    """
    utc = moment.astimezone(UTC)
    return utc.strftime("%Y-%m-%dT%H:%M:%S.%fZ" if exact else "%Y-%m-%dT%H:%M:%SZ")


def _read_time(value: object) -> object:
    return parse_time(value) if isinstance(value, str) else value


# Whole seconds are what `kubectl` prints ages from; microseconds keep short durations true.
Time = Annotated[
    datetime,
    BeforeValidator(_read_time),
    PlainSerializer(lambda moment: render_time(moment, exact=True), return_type=str),
]


class Model(BaseModel):
    """A part of a resource.

    Field names are camelCase on the wire, unknown fields of newer versions are ignored.
    """

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        extra="ignore",
        use_attribute_docstrings=True,
    )

    def dump(self) -> JsonObject:
        """Return the part as the API has it: camelCase, without what is unset."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)

    def compacted(self) -> Self:
        """Return an equal model that takes half of the memory: for what is kept in thousands.

        Which of its fields were set is forgotten; nothing of Weir asks for that.
        """
        copy = type(self).__new__(type(self))
        # Set one by one, attributes share their names with all instances of their class.
        for name, value in self.__dict__.items():
            object.__setattr__(copy, name, _compacted(value))
        object.__setattr__(copy, "__pydantic_fields_set__", _NO_NAMES)
        object.__setattr__(copy, "__pydantic_extra__", None)
        object.__setattr__(copy, "__pydantic_private__", None)
        return copy


# Shared, and never changed: models are frozen.
_NO_NAMES: set[str] = set()
_EMPTY_LIST: list[Any] = []
_EMPTY_OBJECT: JsonObject = {}


def _compacted(value: Any) -> Any:
    if isinstance(value, Model):
        return value.compacted()
    if type(value) is str:
        return sys.intern(value)
    if isinstance(value, list):
        return [_compacted(one) for one in value] or _EMPTY_LIST
    return _EMPTY_OBJECT if value == {} else value


def changed(before: Model, after: Model) -> JsonObject:
    """Return the merge patch that makes one part of a resource another; None takes a field out."""
    old, new = before.dump(), after.dump()
    return {key: new.get(key) for key in old.keys() | new.keys() if old.get(key) != new.get(key)}


class OwnerReference(Model):
    """Who an object belongs to, and is deleted with."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False


class Metadata(Model):
    """The part of an object's metadata that Weir reads."""

    name: str
    namespace: str = ""
    uid: str = ""
    resource_version: str = ""
    generation: int = 0
    creation_timestamp: Time | None = None
    deletion_timestamp: Time | None = None
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    owner_references: list[OwnerReference] = []

    @property
    def controller(self) -> OwnerReference | None:
        """The one owner that manages this object."""
        return next((owner for owner in self.owner_references if owner.controller), None)


class Condition(Model):
    """One observation of a resource's state, as `kubectl wait --for=condition=…` reads it."""

    type: ConditionType
    """What is observed."""
    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""
    reason: Reason
    """Why, in one word."""
    message: Annotated[str, Field(max_length=4096)] = ""
    """Why, for people."""
    observed_generation: int | None = None
    """The generation of the object that was looked at."""
    last_transition_time: Time
    """When the status last changed."""


class Resource(Model):
    """A custom resource: subclasses name the kind and add spec and status."""

    PLURAL: ClassVar[str]
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ()
    KIND: ClassVar[str]
    # kubectl's columns: (name, type, JSONPath, shown only by -o wide)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = ()
    SELECTABLE: ClassVar[tuple[str, ...]] = ()
    # CEL rules at the root of the schema: (rule, message)
    RULES: ClassVar[tuple[tuple[str, str], ...]] = ()

    metadata: Metadata

    @property
    def key(self) -> "Key":
        """Namespace and name."""
        return (self.metadata.namespace, self.metadata.name)


Key = tuple[str, str]


def with_condition(
    conditions: list[Condition],
    type_: ConditionType,
    status: Literal["True", "False", "Unknown"],
    reason: Reason,
    message: str,
    *,
    now: datetime,
    generation: int | None = None,
) -> list[Condition]:
    """Return the conditions with one set. Its transition time moves only when its status does."""
    before = next((one for one in conditions if one.type == type_), None)
    since = before.last_transition_time if before and before.status == status else now
    fresh = Condition(
        type=type_,
        status=status,
        reason=reason,
        message=message[:4096],
        observed_generation=generation,
        last_transition_time=since,
    )
    return [one for one in conditions if one.type != type_] + [fresh]
