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
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "weir"

# Annotation on root Executions: who made them, as `weir run` says. It is not to be trusted.
CREATED_BY = f"{GROUP}/created-by"

FIELD_MANAGER = "weir"


def pod_name(execution: str, uid: str, attempt: int) -> str:
    """Name the Pod of one attempt."""
    return with_hash(execution.replace(".", "-"), digest(uid, attempt))


def revision_name(flow: str, revision: str) -> str:
    """Name the ControllerRevision that keeps a Flow's runnable part; `revision` is its sha256 in
    hex.
    """
    return f"{flow}-{revision[:10]}"
