"""The Webhook: runs of a Flow by HTTP requests."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from weir.api.connector import SecretKeyRef
from weir.api.phases import Mode
from weir.api.resource import AnyObject, Condition, Duration, Model, Resource, Time

Method = Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


class Hmac(Model):
    """How requests are signed."""

    secret_ref: SecretKeyRef
    """The secret that both sides know."""
    header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=128)] = "X-Weir-Signature"
    """The header with the signature: hex or base64, perhaps behind `sha256=`, `v0=` or the like; of
    several, by commas or blanks, one is enough.
    """
    algorithm: Literal["sha1", "sha256", "sha512"] = "sha256"
    """The hash function."""
    timestamp_header: Annotated[str | None, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=128)] = (
        None
    )
    """The header with the time of signing, in Unix seconds: alone, or as `t=` among other
    things.
    """
    signed: Annotated[
        str | None,
        Field(pattern=r"^[^{}]*(\{[A-Za-z0-9-]+\}[^{}]*)*$", min_length=6, max_length=256),
    ] = None
    """What is signed: `{body}`, `{timestamp}`, headers by their names, and text between them.

    Default: `{timestamp}.{body}` with timestampHeader, else `{body}`.
    """
    window: Duration = "5m"
    """How far the time of signing may be from now, and for how long a signature is not taken
    twice; `0s` without timestampHeader: it may be.
    """


class RateLimit(Model):
    """How many requests are taken."""

    per_minute: Annotated[int, Field(ge=1, le=1_000_000)]
    """Requests a minute, on average."""
    burst: Annotated[int, Field(ge=1, le=1_000_000)] = 60
    """Requests at once."""


class WebhookSpec(Model):
    """What to run, who may call, and what is answered."""

    flow: Annotated[str, Field(min_length=1, max_length=253)]
    """Name or title of the Flow, in this namespace."""
    title: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """What scripts and people call the Webhook; unique in the namespace.

    Default: its object name, which is what its path has in any case.
    """
    description: Annotated[str | None, Field(max_length=16384)] = None
    """What it is for."""
    enabled: bool = False
    """Whether requests are answered. One that is not enabled answers as if it were not there."""
    key_secret_ref: SecretKeyRef | None = None
    """The key that callers give in `?key=`, in the header keyHeader, or as `key` in JSON."""
    key_header: Annotated[str, Field(pattern=r"^[A-Za-z0-9-]+$", max_length=128)] = "X-Weir-Key"
    """The header that may have the key."""
    hmac: Hmac | None = None
    """How requests are signed. With a key too, both are needed."""
    methods: Annotated[list[Method], Field(min_length=1, max_length=6)] = ["GET", "POST"]
    """HTTP methods that it answers. Default: GET and POST."""
    async_: Annotated[bool, Field(alias="async")] = False
    """Whether it answers at once; a caller may ask for it by `?async=1`."""
    timeout: Duration = "60s"
    """How long a caller waits for the run's end. The run goes on after it."""
    inputs: AnyObject = None
    """Inputs beside those of the request, which are `method, path, query, headers, json`…"""
    protect_inputs: Annotated[list[str], Field(max_length=100)] = []
    """Keys of inputs, such as `json`, that are shown as *** to all but the script."""
    protect_outputs: Annotated[list[str], Field(max_length=100)] = []
    """Keys of outputs that are shown as *** to all but scripts, callers too."""
    mode: Mode = Mode.PRODUCTIVE
    """Whether the runs count."""
    max_bytes: Annotated[int, Field(ge=1, le=10_485_760)] = 1_048_576
    """The longest body, in bytes."""
    rate: RateLimit | None = None
    """How many requests are taken. Default: 600 a minute, 60 at once."""


class WebhookStatus(Model):
    """What the server found out about the Webhook."""

    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Ready, with the reason when it is not."""
    observed_generation: int | None = None
    """The generation that the conditions are about."""
    path: str | None = None
    """Its path at Weir's server."""
    last_execution: str | None = None
    """The Execution that it started last; written at most once a minute."""
    last_call_time: Time | None = None
    """When that was."""


class Webhook(Resource):
    """Runs a Flow when an HTTP request comes."""

    PLURAL: ClassVar[str] = "webhooks"
    KIND: ClassVar[str] = "Webhook"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("hook",)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("Flow", "string", ".spec.flow", False),
        ("Enabled", "boolean", ".spec.enabled", False),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', False),
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', True),
        ("Path", "string", ".status.path", False),
        ("Last", "date", ".status.lastCallTime", False),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a Webhook's name has at most 63 characters"),
        (
            "!has(self.spec.hmac) || !has(self.spec.hmac.signed) "
            "|| self.spec.hmac.signed.contains('{body}')",
            "spec.hmac.signed has {body} in it",
        ),
    )

    spec: WebhookSpec
    status: WebhookStatus = WebhookStatus()

    @property
    def title(self) -> str:
        """What scripts and people call it."""
        return self.spec.title or self.metadata.name
