"""Every reason that a status or a condition may carry. One enum, so that a word means one thing."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an object is as it is.

    The message beside it says what a person should do.
    """

    # An Execution before its Pod
    NOT_STARTED = "NotStarted"  # created with run=False, or paused before its start
    FLOW_NOT_FOUND = "FlowNotFound"
    FLOW_NOT_READY = "FlowNotReady"
    FLOW_SUSPENDED = "FlowSuspended"
    CONNECTOR_NOT_FOUND = "ConnectorNotFound"
    CONNECTOR_NOT_READY = "ConnectorNotReady"
    FLOW_LIMIT = "FlowLimit"  # queued: the Flow's maxConcurrent is reached
    CLUSTER_LIMIT = "ClusterLimit"  # queued: Weir's own limit is reached
    INVALID_INPUTS = "InvalidInputs"
    INPUTS_TOO_LARGE = "InputsTooLarge"
    TOO_DEEP = "TooDeep"
    NAME_TAKEN = "NameTaken"

    # An Execution with a Pod
    POD_NOT_STARTING = "PodNotStarting"
    POD_REFUSED = "PodRefused"  # quota or admission refused the Pod
    WOKEN = "Woken"  # queued: what the run waited for without a Pod has come
    RUNNER_LOST = "RunnerLost"
    TOO_MANY_ATTEMPTS = "TooManyAttempts"
    OUT_OF_MEMORY = "OutOfMemory"
    RUNNER_EXITED = "RunnerExited"  # the process ended with a code and no report
    TIMED_OUT = "TimedOut"
    CANCELLED = "Cancelled"
    TRY_FAILED = "TryFailed"  # queued: the Flow's spec.retry allows another try

    # What a script did
    # The reason of an end that has no other
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    NOT_INSTALLED = "NotInstalled"  # its requirements
    SCRIPT_ERROR = "ScriptError"  # an exception nobody caught
    SCRIPT_ENDED = "ScriptEnded"  # this.error(…)
    SCRIPT_EXITED = "ScriptExited"  # sys.exit
    DEPENDENCY_FAILED = "DependencyFailed"
    CONNECTION_FAILED = "ConnectionFailed"
    OUTPUT_TOO_LARGE = "OutputTooLarge"
    INVALID_OUTPUTS = "InvalidOutputs"
    DIVERGED = "Diverged"
    JOURNAL_LOST = "JournalLost"
    ILLEGAL_MOVE = "IllegalMove"

    # A Flow or Connector
    READY = "Ready"
    SYNTAX_ERROR = "SyntaxError"
    NO_HANDLER = "NoHandler"
    INVALID_SCHEMA = "InvalidSchema"
    INVALID_SPEC = "InvalidSpec"
    INVALID_REQUIREMENTS = "InvalidRequirements"
    TITLE_TAKEN = "TitleTaken"
    UNKNOWN_TYPE = "UnknownType"
    SECRET_NOT_FOUND = "SecretNotFound"

    # A Schedule or Webhook
    SUSPENDED = "Suspended"
    NOT_ENABLED = "NotEnabled"
    INVALID_CRON = "InvalidCron"
    INVALID_TIME_ZONE = "InvalidTimeZone"

    # A FlowRepository
    SYNCED = "Synced"
    SYNCING = "Syncing"
    FETCH_FAILED = "FetchFailed"  # the host is away, or slow: tried again
    AUTHENTICATION_FAILED = "AuthenticationFailed"
    HOST_KEY_UNKNOWN = "HostKeyUnknown"
    REF_NOT_FOUND = "RefNotFound"
    TOO_LARGE = "TooLarge"  # the repository, or one of its files
    NO_FILES = "NoFiles"  # none that spec.paths names: nothing is pruned
    FILES_REJECTED = "FilesRejected"
    APPLY_FAILED = "ApplyFailed"  # the API server refused an object
    DRIFTED = "Drifted"  # an object was changed by hand, and is again as its file says

    # A file of a FlowRepository, beside those of a Flow
    NOT_TEXT = "NotText"  # no UTF-8
    INVALID_YAML = "InvalidYaml"
    INVALID_NAME = "InvalidName"
    INVALID_HEADER = "InvalidHeader"  # what a script's comments say of it
    KIND_NOT_ALLOWED = "KindNotAllowed"
    DUPLICATE = "Duplicate"  # an earlier file brings an object of this name
    NOT_OURS = "NotOurs"  # an object of this name is somebody else's
    OUTSIDE = "Outside"  # a symbolic link out of the repository
    REFUSED = "Refused"  # by the API server: the message is its own


class ConditionType(StrEnum):
    """The conditions that Weir sets."""

    READY = "Ready"  # all but Execution
    RECONCILING = "Reconciling"  # FlowRepository, as kstatus reads it
    STALLED = "Stalled"
    SUCCEEDED = "Succeeded"  # Execution: for kubectl wait
    FAILED = "Failed"
    ENDED = "Ended"  # any final phase
