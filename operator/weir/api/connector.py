"""The Connector: stored inputs of connections, secrets among them."""

from typing import Annotated, ClassVar

from pydantic import Field

from weir.api.phases import Mode
from weir.api.resource import AnyObject, Condition, Model, Resource


class SecretKeyRef(Model):
    """One key of a Secret in this namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the Secret."""
    key: Annotated[str, Field(min_length=1, max_length=253)]
    """The key in it."""


class SecretInput(Model):
    """An input whose value is kept in a Secret."""

    input: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the input."""
    secret_key_ref: SecretKeyRef
    """Where its value is."""


class ConnectorSpec(Model):
    """What connections through this Connector are given."""

    type: Annotated[str, Field(min_length=1, max_length=63)]
    """The connection type, such as GIT."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Connector; unique in the namespace.

    Default: its object name.
    """
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What it connects to."""
    inputs: AnyObject = None
    """Inputs given to every connection; a call may override single keys."""
    secret_inputs: Annotated[list[SecretInput], Field(max_length=50)] = []
    """Inputs taken from Secrets.

    They reach only the connection's own run, never the flow that asked for it.
    """
    overridable: Annotated[list[str] | None, Field(max_length=100)] = None
    """Inputs that a call may set.

    Default: all but secret ones, and but destination and transport where there are secretInputs.
    """
    allowed_modes: Annotated[list[Mode], Field(min_length=1, max_length=2)] = [
        Mode.PRODUCTIVE,
        Mode.DEVELOPMENT,
    ]
    """Modes of runs that may use it."""


class ConnectorStatus(Model):
    """What the operator found out about the Connector."""

    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Ready, with the reason when it is not."""
    observed_generation: int | None = None
    """The generation that the conditions are about."""


class Connector(Resource):
    """Stored inputs of connections to one outside system."""

    PLURAL: ClassVar[str] = "connectors"
    KIND: ClassVar[str] = "Connector"
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Type", "string", ".spec.type", False),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', False),
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', False),
        ("Title", "string", ".spec.title", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Connector's name has at most 63 characters"),
    )

    spec: ConnectorSpec
    status: ConnectorStatus = ConnectorStatus()

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name
