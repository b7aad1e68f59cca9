"""The Schema: a JSON Schema that scripts check values against."""

from typing import Annotated, ClassVar

from pydantic import Field

from weir.api.resource import JsonObject, Model, Resource


class SchemaSpec(Model):
    """What values are to be like."""

    json_schema: Annotated[JsonObject, Field(alias="schema")]
    """A JSON Schema: 2020-12, or draft 7 where its `$schema` says so."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Schema; unique in the namespace.

    Default: its object name.
    """
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What it describes."""


class Schema(Resource):
    """A JSON Schema under a name, which scripts check values against."""

    PLURAL: ClassVar[str] = "schemas"
    KIND: ClassVar[str] = "Schema"
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Title", "string", ".spec.title", False),
        ("Description", "string", ".spec.description", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Schema's name has at most 63 characters"),
    )

    spec: SchemaSpec

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name
