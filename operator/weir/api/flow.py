"""The Flow: a Python script with a handler, and how it is to be run."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from weir.api.resource import Condition, Duration, JsonObject, Model, Resource, Time
from weir_protocol.scripts import MAX_SCRIPT as MAX_SCRIPT

Allowed = Literal["flows", "connectors", "schedules", "webhooks", "executions"]

SchemaField = Annotated[JsonObject | None, Field(json_schema_extra={"preserve": True})]


class RetryPolicy(Model):
    """New tries of the whole run when its script fails."""

    limit: Annotated[int, Field(ge=0, le=100)] = 0
    """How many tries may follow the first."""
    delay: Duration = "10s"
    """How long to wait before the second try."""
    factor: Annotated[float, Field(ge=1, le=10)] = 2.0
    """By how much each further wait is longer."""
    max_delay: Duration = "5m"
    """The longest wait."""


class Toleration(Model):
    """A node taint that the runner Pod tolerates."""

    key: str | None = None
    """The taint's key; empty with operator Exists means all."""
    operator: Literal["Exists", "Equal"] | None = None
    """How the value is compared."""
    value: str | None = None
    """The taint's value."""
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = None
    """The taint's effect; empty means all."""
    toleration_seconds: int | None = None
    """How long a NoExecute taint is tolerated."""


class NameReference(Model):
    """An object of the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Its name."""


class KeyReference(Model):
    """One key of a Secret or ConfigMap of the same namespace."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Name of the object."""
    key: Annotated[str, Field(min_length=1, max_length=253)]
    """The key in it."""
    optional: bool | None = None
    """Whether the Pod may start without it."""


class EnvironmentSource(Model):
    """Where an environment variable comes from."""

    secret_key_ref: KeyReference | None = None
    """A key of a Secret."""
    config_map_key_ref: KeyReference | None = None
    """A key of a ConfigMap."""


class EnvironmentVariable(Model):
    """One environment variable of the runner."""

    name: Annotated[str, Field(min_length=1, max_length=253)]
    """Its name. Names that begin with WEIR_ are Weir's own."""
    value: str | None = None
    """Its value."""
    value_from: EnvironmentSource | None = None
    """Where its value comes from instead."""


class EnvironmentFrom(Model):
    """A Secret or ConfigMap whose keys all become environment variables."""

    prefix: str | None = None
    """Put before each key."""
    secret_ref: NameReference | None = None
    """The Secret."""
    config_map_ref: NameReference | None = None
    """The ConfigMap."""


class Resources(Model):
    """What the runner asks of a node and may use at most."""

    requests: dict[str, str | int] | None = None
    """What the scheduler sets aside, e.g. cpu: 100m."""
    limits: dict[str, str | int] | None = None
    """What the runner may use at most."""


class Runner(Model):
    """What may be set of the runner Pod; everything else of it is Weir's."""

    image: Annotated[str | None, Field(max_length=512)] = None
    """Another image, built on Weir's runner image."""
    resources: Resources | None = None
    """Requests and limits."""
    service_account_name: Annotated[str | None, Field(max_length=253)] = None
    """The Pod's service account. Its token is never mounted."""
    env: Annotated[list[EnvironmentVariable] | None, Field(max_length=100)] = None
    """Environment variables."""
    env_from: Annotated[list[EnvironmentFrom] | None, Field(max_length=20)] = None
    """Environment variables from whole Secrets and ConfigMaps."""
    node_selector: dict[str, str] | None = None
    """Labels that the node must have."""
    tolerations: Annotated[list[Toleration] | None, Field(max_length=50)] = None
    """Taints that the Pod tolerates."""
    image_pull_secrets: Annotated[list[NameReference] | None, Field(max_length=20)] = None
    """Secrets to pull the image with."""


class FlowSpec(Model):
    """What the Flow does and how it is to be run."""

    script: Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT)]
    """Python source that defines `handler(system, this)` or `handler(system, this, inputs)`."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Flow; unique in the namespace. Default: its object name."""
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What the Flow is for."""
    input_schema: SchemaField = None
    """JSON Schema (2020-12) that inputs must satisfy; checked before a Pod is made."""
    output_schema: SchemaField = None
    """JSON Schema (2020-12) that outputs must satisfy; checked when the run ends."""
    timeout: Duration | None = None
    """Longest run, counted from its start. Queueing and pauses do not count. Default: no limit."""
    start_timeout: Duration = "10m"
    """How long a Pod may take to start before the run fails with PodNotStarting."""
    max_concurrent: Annotated[int | None, Field(ge=1, le=100000)] = None
    """Runs at once; the rest are Queued. A run that only waits does not count."""
    retry: RetryPolicy | None = None
    """New tries of the whole run when its script fails. Default: none."""
    on_runner_lost: Literal["Resume", "Fail"] = "Resume"
    """What happens when a run loses its Pod:

    a new attempt goes on from the journal, or the run fails.
    """
    hibernate_after: Duration | None = None
    """A run that waits longer gives its Pod back, and goes on in another. Default: never."""
    requirements: Annotated[list[str] | None, Field(max_length=100)] = None
    """Third-party modules, PEP 508, installed for runs of this Flow only."""
    allow: Annotated[list[Allowed] | None, Field(max_length=5)] = None
    """What scripts may change besides Settings, Schemas and files. Default: nothing."""
    runner: Runner | None = None
    """What may be set of the runner Pod."""
    ttl_after_finished: Duration = "24h"
    """How long ended runs are kept as objects. The archive keeps them longer."""
    suspend: bool = False
    """Whether new Executions stay Pending."""

    def runnable(self) -> JsonObject:
        """Return the part that decides how a run behaves: what a revision keeps."""
        ignored = {"title", "description", "max_concurrent", "ttl_after_finished", "suspend"}
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude=ignored)


class FlowStatus(Model):
    """What the operator found out about the Flow."""

    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Ready, with the reason when it is not."""
    observed_generation: int | None = None
    """The generation that the conditions are about."""
    revision: str | None = None
    """sha256 of the runnable part, in hex."""
    short_revision: str | None = None
    """Its first seven characters, for the eye."""
    active: int | None = None
    """Executions that have not ended."""
    last_execution: str | None = None
    """The Execution that started last."""
    last_execution_time: Time | None = None
    """When that was."""


class Flow(Resource):
    """A Python script with a handler. Runs of it are Executions."""

    PLURAL: ClassVar[str] = "flows"
    KIND: ClassVar[str] = "Flow"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("fl",)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', False),
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', True),
        ("Revision", "string", ".status.shortRevision", False),
        ("Active", "integer", ".status.active", False),
        ("Last", "date", ".status.lastExecutionTime", False),
        ("Source", "string", r".metadata.annotations.weir\.dev/commit", False),
        ("Title", "string", ".spec.title", True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Flow's name has at most 63 characters"),
    )

    spec: FlowSpec
    status: FlowStatus = FlowStatus()

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name

    @property
    def ready(self) -> bool:
        """Whether it may be run as it stands now."""
        return any(
            one.type == "Ready" and one.status == "True" for one in self.status.conditions
        ) and (self.status.observed_generation == self.metadata.generation)
