"""What the operator remembers of a live Execution that is not in its status."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(slots=True)
class Memory:
    """Losing it, by a restart, makes waits begin anew, and nothing else."""

    cancel_since: datetime | None = None  # when its cancellation was first seen
    silent_since: datetime | None = None  # when its Pod was first seen ended or missing
    silent_pod: str = ""  # UID of the Pod that this is about
    absent_pod: str = ""  # UID of a Pod that is known not to be there
    refusals: int = 0  # of Pods, one after the other
    refused_until: datetime | None = None
    over_quota_since: datetime | None = None  # of its first Pod that a quota refused
    waits_since: datetime | None = None  # when it was first seen waiting
    requests: int = 0  # for the place of another run
    requested: datetime | None = None  # when it asked last
