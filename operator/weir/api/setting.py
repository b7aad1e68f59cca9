"""The Setting: a value that scripts share, and a lock."""

from typing import Annotated, Any, ClassVar

from pydantic import Field

from weir.api.resource import Model, Resource, Time


class Holder(Model):
    """The run that holds the lock."""

    execution: Annotated[str, Field(max_length=63)]
    """Name of the Execution."""
    uid: Annotated[str, Field(max_length=64)]
    """Its UID."""
    try_number: Annotated[int, Field(ge=1, alias="try")] = 1
    """Its try that took the lock."""


class SettingSpec(Model):
    """What scripts read."""

    value: Annotated[Any, Field(json_schema_extra={"any": True})] = None
    """Any JSON value; scripts may save up to 256 KiB."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Setting; unique in the namespace.

    Default: its object name.
    """
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What it is for."""


class SettingStatus(Model):
    """Who holds the Setting as a lock."""

    holder: Holder | None = None
    """The run that took the lock last.

    It is held for as long as that try of that run has not ended, and is not released.
    """
    since: Time | None = None
    """When the lock was taken."""


class Setting(Resource):
    """A value that scripts of the namespace share. It doubles as a lock."""

    PLURAL: ClassVar[str] = "settings"
    KIND: ClassVar[str] = "Setting"
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Title", "string", ".spec.title", False),
        ("Value", "string", ".spec.value", True),
        ("Holder", "string", ".status.holder.execution", False),
        ("Since", "date", ".status.since", False),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Setting's name has at most 63 characters"),
    )

    spec: SettingSpec = SettingSpec()
    status: SettingStatus = SettingStatus()

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name
