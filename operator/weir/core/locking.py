"""Who holds a Setting as a lock."""

from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.api.setting import Holder, Setting


def holds(holder: Holder, execution: Execution) -> bool:
    """Whether an Execution, the one that the holder names, holds the lock still.

    A lock is freed by the end of the try that took it, whoever ended that: nobody needs to see to
    it.
    """
    same = execution.uid == holder.uid and (execution.status.try_number or 1) <= holder.try_number
    return same and not execution.phase.is_final


def is_held_by(setting: Setting, uid: str, try_number: int) -> bool:
    """Whether this very try took the lock."""
    holder = setting.status.holder
    return holder is not None and (holder.uid, holder.try_number) == (uid, try_number)


def status(holder: Holder | None, since: str | None, resource_version: str) -> JsonObject:
    """Return the patch that makes somebody the holder, in the version that was decided on."""
    return {
        "metadata": {"resourceVersion": resource_version},
        "status": {"holder": holder.dump() if holder else None, "since": since},
    }


def signature(setting: Setting) -> str:
    """Return which holding of a lock this is: taken again, it is another one."""
    holder, since = setting.status.holder, setting.status.since
    if holder is None:
        return ""
    return f"{holder.uid}/{holder.try_number}/{since.isoformat() if since else ''}"
