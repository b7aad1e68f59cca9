"""Every reason that a status or a condition may carry. One enum, so that a word means one thing."""

from enum import StrEnum


class Reason(StrEnum):
    """Why an Execution, Flow or Connector is as it is.

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


class ConditionType(StrEnum):
    """The conditions that Weir sets."""

    READY = "Ready"  # Flow, Connector
    SUCCEEDED = "Succeeded"  # Execution: for kubectl wait
    FAILED = "Failed"
    ENDED = "Ended"  # any final phase
