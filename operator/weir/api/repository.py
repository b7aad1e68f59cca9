"""The FlowRepository: a Git repository whose files are Flows, and other objects, of a namespace."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from weir.api.connector import SecretKeyRef
from weir.api.flow import NameReference
from weir.api.reasons import Reason
from weir.api.resource import Condition, Duration, Model, Resource, Time

DEFAULT_KINDS = ("Flow", "Schedule", "Setting", "Schema")
"""The kinds that every FlowRepository may bring."""

SyncableKind = Literal["Flow", "Schedule", "Setting", "Schema", "Connector", "Webhook", "Execution"]


class GitRef(Model):
    """Which commit to take; at most one of its fields is set."""

    branch: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The newest commit of this branch."""
    tag: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The commit of this tag."""
    commit: Annotated[str | None, Field(pattern=r"^[0-9a-f]{40}$")] = None
    """This commit, by its whole SHA-1."""
    semver: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The commit of the highest version tag in this range, such as `>=1.2 <2` or `1.4.x`."""


class PathRule(Model):
    """Which files are read as what."""

    glob: Annotated[str, Field(min_length=1, max_length=512)]
    """Files by path from the top of the repository: `*` and `?` within a folder, `**` across."""
    kind: Literal["Flow", "Setting", "Manifest"]
    """What such a file is.

    Flow: a Python script. Setting: a JSON or YAML value. Manifest: YAML of Weir's kinds.
    """


class RepositoryWebhook(Model):
    """How the Git host tells of a push."""

    secret_key_ref: SecretKeyRef
    """The secret that GitHub and Gitea sign with, that GitLab sends, or that signs otherwise."""


class RepositoryPush(Model):
    """Where edited scripts are committed to."""

    branch: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The branch for commits that name none. Default: `weir/` and the user's name."""
    secret_ref: NameReference | None = None
    """A Secret with credentials that may write. Default: spec.secretRef."""


class FlowRepositorySpec(Model):
    """Where the repository is, what of it is taken, and what for."""

    url: Annotated[str, Field(min_length=1, max_length=2048)]
    """Its address: `https://…`, `ssh://…`, `git://…`, or `user@host:path`."""
    ref: GitRef = GitRef()
    """Which commit to take. Default: the newest of the repository's default branch."""
    interval: Duration = "5m"
    """How often to look for a new commit."""
    timeout: Duration = "2m"
    """How long a fetch may take."""
    paths: Annotated[list[PathRule], Field(min_length=1, max_length=50)] = [
        PathRule(glob="**/*.py", kind="Flow"),
        PathRule(glob="**/*.yaml", kind="Manifest"),
        PathRule(glob="**/*.yml", kind="Manifest"),
    ]
    """Which files are read as what; the first rule that fits a file holds.

    Default: every `*.py` a Flow, every `*.yaml` and `*.yml` manifests.
    """
    exclude: Annotated[list[str], Field(max_length=50)] = ["**/test_*.py", "**/conftest.py"]
    """Globs of files that are left alone, whatever `paths` says. Default: those of pytest.

    Files and folders whose names begin with a dot always are.
    """
    secret_ref: NameReference | None = None
    """A Secret of this namespace with credentials.

    Keys: `username` and `password`, or `bearerToken`; `ca.crt`; `identity`, `passphrase` and
    `known_hosts`.
    """
    kinds: Annotated[list[SyncableKind] | None, Field(max_length=7)] = None
    """Kinds that it may bring. Default: Flow, Schedule, Setting, Schema.

    For others serviceAccountName is needed.
    """
    service_account_name: Annotated[str | None, Field(min_length=1, max_length=253)] = None
    """The service account of this namespace whose rights bind what is written.

    Default: Weir's own rights.
    """
    prune: bool = True
    """Whether what leaves the repository is deleted here too. Only what it brought ever is."""
    submodules: bool = False
    """Whether submodules are fetched too, with the same credentials where the host is the same."""
    webhook: RepositoryWebhook | None = None
    """How the Git host tells of a push. Default: it does not, and `interval` finds it."""
    push: RepositoryPush | None = None
    """Where `weir push` commits to. Default: it may not."""
    suspend: bool = False
    """Whether nothing is fetched, written, pruned or undone."""


class RejectedFile(Model):
    """A file that was not taken, and why. What it had brought before stays."""

    path: Annotated[str, Field(max_length=1024)]
    """Its path in the repository."""
    reason: Reason
    """Why, in one word."""
    message: Annotated[str, Field(max_length=1024)]
    """Why, and what to do."""


class FlowRepositoryStatus(Model):
    """What was taken, and what was not."""

    conditions: Annotated[list[Condition], Field(max_length=16)] = []
    """Ready, Reconciling and Stalled, as kstatus reads them."""
    observed_generation: int | None = None
    """The generation that the conditions are about."""
    last_synced_commit: str | None = None
    """The commit that the namespace shows, as its whole SHA-1."""
    short_commit: str | None = None
    """Its first seven characters, for the eye."""
    last_synced_author: Annotated[str | None, Field(max_length=512)] = None
    """Who wrote that commit."""
    last_sync_time: Time | None = None
    """When a sync last changed something. One that finds nothing new writes nothing."""
    last_handled_request: Annotated[str | None, Field(max_length=253)] = None
    """The value of the annotation weir.dev/sync-requested that was answered last."""
    flows: int | None = None
    """Flows that it brought."""
    objects: int | None = None
    """All objects that it brought."""
    rejected: Annotated[list[RejectedFile] | None, Field(max_length=100)] = None
    """Files that were not taken, up to 100."""
    rejected_count: int | None = None
    """How many files were not taken."""
    last_drift: Annotated[str | None, Field(max_length=512)] = None
    """The object, as Kind/name, whose change by hand was undone last."""
    last_drift_time: Time | None = None
    """When that was."""
    webhook_path: str | None = None
    """The path at Weir's server that the Git host is to call."""


class FlowRepository(Resource):
    """A Git repository whose files are Flows, and other objects, of this namespace."""

    PLURAL: ClassVar[str] = "flowrepositories"
    KIND: ClassVar[str] = "FlowRepository"
    SHORT_NAMES: ClassVar[tuple[str, ...]] = ("flrepo",)
    COLUMNS: ClassVar[tuple[tuple[str, str, str, bool], ...]] = (
        ("URL", "string", ".spec.url", False),
        ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', False),
        ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', True),
        ("Commit", "string", ".status.shortCommit", False),
        ("Flows", "integer", ".status.flows", False),
        ("Rejected", "integer", ".status.rejectedCount", False),
        ("Synced", "date", ".status.lastSyncTime", False),
        ("Status", "string", '.status.conditions[?(@.type=="Ready")].message', True),
        ("Age", "date", ".metadata.creationTimestamp", False),
    )
    RULES: ClassVar[tuple[tuple[str, str], ...]] = (
        ("self.metadata.name.size() <= 63", "a FlowRepository's name has at most 63 characters"),
        (
            "!has(self.spec.ref) || [has(self.spec.ref.branch), has(self.spec.ref.tag), "
            "has(self.spec.ref.commit), has(self.spec.ref.semver)].filter(set, set).size() <= 1",
            "spec.ref has at most one of branch, tag, commit and semver",
        ),
    )

    spec: FlowRepositorySpec
    status: FlowRepositoryStatus = FlowRepositoryStatus()
