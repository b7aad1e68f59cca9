"""The REST API of edited scripts: they are committed to the repository that their Flow came from.

Who asks needs the right to update both the FlowRepository, whose credentials write, and the Flow.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api import durations, names
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject, Model
from weir.cluster.errors import ClusterError, NotFound
from weir.cluster.kinds import FLOW_REPOSITORIES, FLOWS
from weir.cluster.secrets import data_of
from weir.core import commits, pull_requests
from weir.core.sources import SourceFile
from weir.core.syncing import read
from weir.git.credentials import NONE, Credentials
from weir.git.errors import Conflict, GitError
from weir.server import answers, messages, refusals
from weir.server.access import Access, right_to
from weir.server.repositories.asking import ask_for_sync
from weir.server.runtime import Runtime
from weir.threads import in_thread
from weir_protocol.scripts import MAX_SCRIPT

if TYPE_CHECKING:
    from weir.git.fetching import Commit

logger = logging.getLogger(__name__)

PATH = "/api/v1/namespaces/{namespace}/flowrepositories/{name}/commits"

# As JSON that is written with escapes.
_LARGEST = 8 * MAX_SCRIPT
_AT_ONCE = 2
_TURN_SECONDS = 30.0
# git ends itself at its timeout; whatever does not is left alone.
_PATIENCE = 10.0
# Longer than anybody waits for an answer to a request.
_LONGEST = 120.0
_STATUSES = {
    Reason.FETCH_FAILED: 502,
    Reason.AUTHENTICATION_FAILED: 422,
    Reason.HOST_KEY_UNKNOWN: 422,
    Reason.REF_NOT_FOUND: 422,
    Reason.TOO_LARGE: 422,
    Reason.INVALID_SPEC: 422,
    Reason.REFUSED: 422,
}


class CommitRequest(Model):
    """An edited script."""

    model_config = ConfigDict(extra="forbid")

    flow: Annotated[str, Field(min_length=1, max_length=253)]
    """Object name of the Flow."""
    script: Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT)]
    """The whole script."""
    branch: Annotated[str | None, Field(min_length=1)] = None
    """Default: spec.push.branch, else a branch of the user's own."""
    message: Annotated[str | None, Field(min_length=1)] = None
    """Default: which file it changes."""
    author: Annotated[str | None, Field(min_length=1)] = None
    """As `Name <address>`. Default: the user."""
    dry_run: bool = False
    """Whether all is checked that needs no Git host, and nothing written."""


@dataclass(frozen=True)
class _Change:
    """What is to be committed, and by whom."""

    repository: FlowRepository
    flow: Flow
    user: str
    path: str
    branch: str
    message: str
    author: tuple[str, str]
    script: str


class Commits:
    """The endpoint that commits."""

    def __init__(self, runtime: Runtime, *, allow_local: bool = False) -> None:
        self._runtime = runtime
        self._access = Access(runtime.cluster)
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._allow_local = allow_local

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [Route(PATH, answers.guarded(self._commit), methods=["POST"])]

    async def _commit(self, request: Request) -> Response:
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        namespace, name = request.path_params["namespace"], request.path_params["name"]
        right = right_to("update", FlowRepository.PLURAL, namespace, name)
        user = await self._access.require(request, right)
        if user is None:
            raise refusals.unsupported(
                "this installation cannot know who asks, whom a commit names"
            )
        # What other sites' pages can send in a visitor's name has another type.
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            raise refusals.Refused(
                415, "InvalidRequest", "a commit is sent with Content-Type: application/json"
            )
        wanted = messages.parse(CommitRequest, await messages.body(request, _LARGEST))
        right = right_to("update", Flow.PLURAL, namespace, wanted.flow)
        await self._access.require(request, right)
        repository = await self._repository(namespace, name)
        change = _change(repository, await self._flow(repository, wanted.flow), wanted, user.name)
        credentials = await self._credentials(repository)
        if wanted.dry_run:
            return answers.as_json(_told(change))
        commit = await self._pushed(change, credentials)
        return answers.as_json(
            _told(change)
            | {"commit": commit.sha, "syncRequested": await self._synced_if_taken(change)},
            status=201,
        )

    async def _repository(self, namespace: str, name: str) -> FlowRepository:
        try:
            item = await self._runtime.cluster.get(FLOW_REPOSITORIES, namespace, name)
        except NotFound:
            raise refusals.not_found(f"there is no FlowRepository {namespace}/{name}") from None
        repository = FlowRepository.model_validate(item)
        if repository.spec.push is None:
            raise refusals.forbidden(
                f"FlowRepository {name} takes no commits: its spec.push says whether and where to"
            )
        return repository

    async def _flow(self, repository: FlowRepository, name: str) -> Flow:
        namespace = repository.metadata.namespace
        try:
            item = await self._runtime.cluster.get(FLOWS, namespace, name)
        except NotFound:
            raise refusals.not_found(f"there is no Flow {namespace}/{name}") from None
        flow = Flow.model_validate(item)
        if flow.metadata.labels.get(names.REPOSITORY_LABEL) != repository.metadata.name:
            raise refusals.Refused(
                422, "NotOurs", f"Flow {name} is none that {repository.metadata.name} brought"
            )
        return flow

    async def _credentials(self, repository: FlowRepository) -> Credentials:
        push = repository.spec.push
        reference = (push.secret_ref if push else None) or repository.spec.secret_ref
        if reference is None:
            return NONE
        namespace = repository.metadata.namespace
        data = await data_of(self._runtime.cluster, namespace, reference.name)
        if data is None:
            raise refusals.Refused(
                422, Reason.SECRET_NOT_FOUND, f"Secret {reference.name} is not there: create it"
            )
        try:
            return Credentials.of_secret(data)
        except GitError as error:
            raise _refused(error) from None

    async def _pushed(self, change: _Change, credentials: Credentials) -> Commit:
        spec = change.repository.spec
        timeout = min(durations.parse(spec.timeout).total_seconds(), _LONGEST)

        def push() -> Commit:
            from weir.git import pushing  # GitPython is much to keep for who never pushes

            return pushing.push(
                spec.url,
                credentials,
                branch=change.branch,
                base_ref=spec.ref,
                path=change.path,
                content=change.script.encode(),
                expected=change.flow.spec.script.encode(),
                message=change.message,
                author=pushing.Author(*change.author),
                timeout=timeout,
                trailer=commits.trailer_of(change.user),
                allow_local=self._allow_local,
            )

        told = {
            "user": change.user,
            "namespace": change.repository.metadata.namespace,
            "repository": change.repository.metadata.name,
            "flow": change.flow.metadata.name,
            "branch": change.branch,
        }
        try:
            async with self._place(), asyncio.timeout(timeout + _PATIENCE):
                commit = await in_thread(push, name=f"push {change.branch}")
        except GitError as error:
            logger.warning("Script not pushed", extra={**told, "error": error.message[:500]})
            raise _refused(error, change) from None
        except TimeoutError:
            logger.warning("Script not pushed", extra={**told, "error": "out of time"})
            raise refusals.Refused(
                504, Reason.FETCH_FAILED, f"the Git host took longer than {timeout:.0f} seconds"
            ) from None
        logger.info("Script pushed", extra={**told, "commit": commit.sha})
        return commit

    async def _synced_if_taken(self, change: _Change) -> bool:
        """Ask for a sync where the branch may be the one that is taken; return whether it is."""
        ref = change.repository.spec.ref
        elsewhere = ref.tag or ref.commit or ref.semver
        if elsewhere or ref.branch not in (None, change.branch) or change.repository.spec.suspend:
            return False
        if ref.branch is None and change.branch == commits.own_branch(change.user):
            return False
        try:
            await ask_for_sync(self._runtime, change.repository)
        except ClusterError:
            return False  # it comes at its interval
        return True

    @contextlib.asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(_TURN_SECONDS):
                await self._places.acquire()
        except TimeoutError:
            raise refusals.unavailable("other commits are under way: try again") from None
        try:
            yield
        finally:
            self._places.release()


def _change(repository: FlowRepository, flow: Flow, wanted: CommitRequest, user: str) -> _Change:
    """Return what is to be committed, once all is checked that needs no Git. Raises Refused."""
    path = flow.metadata.annotations.get(names.SOURCE_PATH, "")
    _check_script(repository, flow, path, wanted.script)
    if wanted.script == flow.spec.script:
        raise refusals.Refused(
            409, "Unchanged", f"this is the script that Flow {flow.metadata.name} has"
        )
    try:
        return _Change(
            repository=repository,
            flow=flow,
            user=user,
            path=path,
            branch=commits.branch_of(repository.spec, wanted.branch, user),
            message=commits.message_of(wanted.message, path=path, user=user),
            author=commits.author_of(user, wanted.author),
            script=wanted.script,
        )
    except commits.NoCommit as error:
        raise refusals.invalid(str(error)) from None


def _check_script(repository: FlowRepository, flow: Flow, path: str, script: str) -> None:
    """Raise Refused unless the script, at its path, would be this Flow at the next sync."""
    metadata = repository.metadata
    found = read(
        [SourceFile(path, script.encode(errors="replace"))],
        repository.spec,
        namespace=metadata.namespace,
        repository=metadata.name,
    )
    for one in found.rejected:
        raise refusals.Refused(422, one.reason, f"{one.path}: {one.message}")
    names_ = [(one.kind, one.name) for one in found.desired]
    if (Flow.KIND, flow.metadata.name) not in names_:
        raise refusals.Refused(
            422,
            "NotThisFlow",
            f"{path or 'no file'}, with this script, is not Flow {flow.metadata.name} of "
            f"{metadata.name}: commit such a change with git",
        )


def _told(change: _Change) -> JsonObject:
    spec = change.repository.spec
    base = spec.ref.branch
    page = None if change.branch == base else pull_requests.url_of(spec.url, change.branch, base)
    name, email = change.author
    return {
        "flow": change.flow.metadata.name,
        "path": change.path,
        "branch": change.branch,
        "author": f"{name} <{email}>",
        "message": change.message,
        "pullRequest": page,
    }


def _refused(error: GitError, change: _Change | None = None) -> refusals.Refused:
    if isinstance(error, Conflict) and change is not None:
        return refusals.Refused(
            409,
            "Conflict",
            f"{error.message}; sync FlowRepository {change.repository.metadata.name} first, and "
            "edit the script that the Flow has then",
        )
    return refusals.Refused(_STATUSES.get(error.reason, 422), error.reason, error.message)
