"""The names that Weir gives: constants of the API group, and names derived from what they name."""

from weir_protocol.naming import MAX_NAME as MAX_NAME
from weir_protocol.naming import child_name as child_name
from weir_protocol.naming import digest as digest
from weir_protocol.naming import is_object_name as is_object_name
from weir_protocol.naming import is_plain as is_plain
from weir_protocol.naming import message_name as message_name
from weir_protocol.naming import record_name as record_name
from weir_protocol.naming import slug as slug
from weir_protocol.naming import with_hash

GROUP = "weir.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

# Labels. Values are object names, which are at most 63 characters (a rule of the CRDs).
EXECUTION_LABEL = f"{GROUP}/execution"  # on Pods and Messages: name of their Execution
ROOT_LABEL = f"{GROUP}/root"  # on child Executions, Messages: name of the root of their tree
MODE_LABEL = f"{GROUP}/mode"
ARCHIVED_LABEL = f"{GROUP}/archived"  # on ended Executions that lists leave out
FLOW_LABEL = f"{GROUP}/flow"  # on ControllerRevisions
SCHEDULE_LABEL = f"{GROUP}/schedule"  # on Executions that a Schedule started: its name
WEBHOOK_LABEL = f"{GROUP}/webhook"  # on Executions that a Webhook started: its name
REPOSITORY_LABEL = f"{GROUP}/repository"  # on what a FlowRepository brought: its name
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "weir"

# Annotation on root Executions: who made them, as `weir run` says. It is not to be trusted.
CREATED_BY = f"{GROUP}/created-by"

# Annotations on what a FlowRepository brought.
COMMIT = f"{GROUP}/commit"  # the commit whose sync last changed it
COMMIT_AUTHOR = f"{GROUP}/commit-author"
SOURCE_PATH = f"{GROUP}/path"  # its file in the repository
APPLIED = f"{GROUP}/applied"  # digest of what was applied: another one now is a change by hand

# Annotation on FlowRepositories: any new value asks for a sync at once.
SYNC_REQUESTED = f"{GROUP}/sync-requested"
# Annotation on Executions that a Schedule started: the time that it was due.
SCHEDULED_TIME = f"{GROUP}/scheduled-time"
# Annotation on Executions that a Webhook started: digest of the request.
REQUEST = f"{GROUP}/request"

FIELD_MANAGER = "weir"
REPOSITORY_MANAGER = "weir-repository"  # of what FlowRepositories bring


def pod_name(execution: str, uid: str, attempt: int) -> str:
    """Name the Pod of one attempt."""
    return with_hash(execution.replace(".", "-"), digest(uid, attempt))


def scheduled_name(schedule: str, uid: str, due: str) -> str:
    """Name the run of one due time of a Schedule; `due` is that time in UTC, to the microsecond."""
    return with_hash(schedule, digest("schedule", uid, due))


def delivered_name(webhook: str, uid: str, delivery: str) -> str:
    """Name the run of one delivery to a Webhook; `delivery` is the sender's own word for it."""
    # Two hashes: there may be millions of deliveries.
    return with_hash(
        webhook, digest("delivery", uid, delivery) + digest(delivery, uid, "delivered")
    )


def revision_name(flow: str, revision: str) -> str:
    """Name the ControllerRevision that keeps a Flow's runnable part; `revision` is its sha256 in
    hex.
    """
    return f"{flow}-{revision[:10]}"
