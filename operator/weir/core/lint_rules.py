"""What `weir lint` looks for: codes that stay the same, and what each is about.

E: the script cannot be run. W: it will probably not do what was meant. N, a notice: a run that is
resumed after the loss of its Pod may go another way.
"""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How bad a finding is."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Rule(NamedTuple):
    """One kind of finding: its name, and what it is about, as docs/linting.md has it."""

    name: str
    about: str


RULES: dict[str, Rule] = {
    "E101": Rule("syntax-error", "Python cannot compile the script"),
    "E102": Rule("no-handler", "no function `handler` at the top level, or one of another form"),
    "W101": Rule("flow-without-name", "`this.flow(…)` without the flow's name first"),
    "W102": Rule("unknown-name", "`this`, `system` or `flow_api` has nothing of that name"),
    "W103": Rule("unknown-field", "an execution has no such field, or it cannot be set"),
    "W104": Rule("wrong-arguments", "a call of `this` with arguments that it does not take"),
    "W105": Rule("await", "`await` before a call of flow_api, which waits by itself"),
    "W106": Rule("record-run", "`system.flow(…)` is a record; `this.flow(…)` runs the flow"),
    "W107": Rule("outputs-lost", "outputs are put together, but neither returned nor set"),
    "W108": Rule("not-json", "an input or output of a type that JSON cannot hold"),
    "W109": Rule("end-swallowed", "the signal that ends a run is caught and not raised again"),
    "W110": Rule("never-reached", "code after `this.success(…)` and its like does not run"),
    "W111": Rule("exit", "`sys.exit()` and its like fail a run"),
    "W112": Rule("input", "`input()`: nobody sits at a run"),
    "W113": Rule("long-sleep", "a long `time.sleep()`, which keeps a Pod for nothing"),
    "W114": Rule("not-awaited", "outputs are read of a child that nobody waited for"),
    "W115": Rule("not-installed", "a module that the runner does not have"),
    "W116": Rule(
        "connection-input", "inputs of a connection that its type does not know, or lacks"
    ),
    "N201": Rule("clock", "the time decides what the run does next"),
    "N202": Rule("chance", "chance decides what the run does next (`random` itself is seeded)"),
    "N203": Rule("outside", "an effect or an answer from outside, which a resume asks for again"),
    "N204": Rule("threads", "threads: a run that calls `this` from two is not resumable"),
}

_SEVERITIES = {"E": Severity.ERROR, "W": Severity.WARNING, "N": Severity.NOTICE}


class Finding(NamedTuple):
    """Something in a script that its author should see.

    `line` and `column` count from 1, `last_line` is where the code in question ends. `help` says
    what to write instead.
    """

    code: str
    line: int
    column: int
    message: str
    help: str
    last_line: int

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return _SEVERITIES[self.code[0]]
