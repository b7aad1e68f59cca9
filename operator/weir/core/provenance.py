"""Where what a run runs came from: the commit of a FlowRepository."""

from weir.api import names
from weir.api.execution_status import SourceStatus
from weir.api.flow import Flow
from weir.core import syncing
from weir.core.moves import cut

_LONGEST_PATH, _LONGEST_AUTHOR = 1024, 512


def source_of(flow: Flow) -> SourceStatus | None:
    """Return the commit that a Flow came from as it is now; None when no FlowRepository brought it,
    or when it was changed since and is not what that commit says.
    """
    repository = flow.metadata.labels.get(names.REPOSITORY_LABEL)
    annotations = flow.metadata.annotations
    commit = annotations.get(names.COMMIT)
    if not repository or not commit or not _is_as_applied(flow):
        return None
    return SourceStatus(
        repository=repository[:63],
        path=cut(annotations.get(names.SOURCE_PATH), _LONGEST_PATH),
        commit=commit[:64],
        author=cut(annotations.get(names.COMMIT_AUTHOR), _LONGEST_AUTHOR),
    )


def _is_as_applied(flow: Flow) -> bool:
    item = {"metadata": flow.metadata.dump(), "spec": flow.spec.dump()}
    live = syncing.live_of(Flow.KIND, item)
    return live.applied is not None and not live.is_drifted
