"""Runs cases on a cluster with Weir, all side by side in one namespace."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Any

from tests.conformance.cases import Case, shared_flows
from tests.conformance.outcomes import Outcome, outcome
from weir.api import names
from weir.api.execution import Execution
from weir.api.resource import JsonObject
from weir.cli import following
from weir.cli.server import Entry, Server, reached
from weir.cli.session import Options, Session
from weir.cluster.client import Cluster
from weir.cluster.errors import Conflict, NotFound
from weir.cluster.kinds import EXECUTIONS, FLOWS, MESSAGES, NAMESPACES, Kind

SERVICE_ACCOUNTS = Kind("", "v1", "serviceaccounts")
DESIRED = {"cancel": "Cancelled", "pause": "Paused", "resume": "Running"}
# Roots at once: more would only wait for each other's Pods.
AT_ONCE = 12


class ClusterBackend:
    """A namespace in which cases run."""

    def __init__(self, cluster: Cluster, namespace: str, server: Server) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._server = server
        self._session = Session(Options(), cluster, namespace)
        self._turn = asyncio.Semaphore(AT_ONCE)

    async def run(self, case: Case) -> Outcome:
        """Run a case and return how it ended."""
        async with self._turn, asyncio.timeout(300):
            return await self._run(case)

    async def _run(self, case: Case) -> Outcome:
        name = f"case-{names.digest(case.name)}"
        for other, spec in case.flows.items():
            await self.flow(other, spec)
        await self.flow(name, {**case.spec, "script": case.script})
        body = {"metadata": {"name": name}, "spec": {"flow": name, "inputs": case.inputs}}
        await self._create(EXECUTIONS, "Execution", body)
        helpers = [asyncio.create_task(self._disturb(case, name))] if case.during else []
        if case.answers:
            helpers.append(asyncio.create_task(self._answer(case.answers, name)))
        try:
            ended = await following.end_of(self._session, name)
        finally:
            for task in helpers:
                task.cancel()
            await asyncio.gather(*helpers, return_exceptions=True)
        children = await self._settled_children(ended)
        log = [one async for one in self._server.logs(self._namespace, name)]
        return outcome(
            status=ended.phase.script_status,
            reason=None if ended.phase == "Succeeded" else str(ended.status.reason or ""),
            message=ended.status.message,
            outputs=await self._server.outputs(self._namespace, name),
            log=[one.text for one in log if one.stream in ("log", "stdout")],
            children=[child.phase.script_status for child in children],
            namespace=self._namespace,
        )

    async def flow(self, name: str, spec: JsonObject) -> None:
        """Create a Flow, called by its name or, where Kubernetes has no such name, by its title."""
        plain = names.slug(name)
        body = {
            "metadata": {"name": plain},
            "spec": {**({} if plain == name else {"title": name}), **spec},
        }
        await self._create(FLOWS, "Flow", body)

    async def _create(self, kind: Kind, kind_name: str, body: JsonObject) -> None:
        whole = {"apiVersion": names.API_VERSION, "kind": kind_name, **body}
        await self._cluster.create(kind, self._namespace, whole)

    async def _settled_children(self, parent: Execution) -> list[Execution]:
        """Return the children when they have ended, or will never start."""
        while True:
            listing = await self._cluster.list(
                EXECUTIONS,
                self._namespace,
                fields=f"spec.parent.name={parent.metadata.name}",
            )
            children = [Execution.model_validate(item) for item in listing.items]
            children.sort(key=lambda one: one.spec.parent.sequence if one.spec.parent else 0)
            running = [one for one in children if not one.phase.is_final]
            if not running:
                return children
            await following.end_of(self._session, running[0].metadata.name)

    async def _disturb(self, case: Case, name: str) -> None:
        steps = list(case.during)
        seen: list[Entry] = []
        log = self._server.logs(self._namespace, name, follow=True)
        async with aclosing(log) as entries:
            async for entry in entries:
                seen.append(entry)
                while steps and any(one.text == steps[0].when for one in seen):
                    await self._desire(name, DESIRED[steps.pop(0).do])

    async def _desire(self, name: str, state: str) -> None:
        body = {"spec": {"desiredState": state}}
        await self._cluster.patch(EXECUTIONS, self._namespace, name, body)

    async def _answer(self, answers: dict[str, Any], name: str) -> None:
        """Answer the run's messages, as a person with kubectl does."""
        async for change in self._cluster.watch(MESSAGES, self._namespace):
            spec = change.object.get("spec", {})
            if spec.get("execution", {}).get("name") != name or spec.get("response") is not None:
                continue
            if spec.get("subject") in answers:
                body = {"spec": {"response": answers[spec["subject"]]}}
                with contextlib.suppress(Conflict, NotFound):
                    await self._cluster.patch(
                        MESSAGES, self._namespace, change.object["metadata"]["name"], body
                    )


@asynccontextmanager
async def opened(cluster: Cluster) -> AsyncIterator[ClusterBackend]:
    """Make a namespace with the shared flows in it; it is deleted in the end."""
    namespace = f"conformance-{uuid.uuid4().hex[:8]}"
    await cluster.create(NAMESPACES, None, {"metadata": {"name": namespace}})
    async with AsyncExitStack() as stack:
        stack.push_async_callback(cluster.delete, NAMESPACES, None, namespace)
        async for change in cluster.watch(
            SERVICE_ACCOUNTS, namespace, fields="metadata.name=default"
        ):
            if change.object:
                break
        session = Session(Options(), cluster, namespace)
        server = await stack.enter_async_context(reached(session))
        backend = ClusterBackend(cluster, namespace, server)
        for name, spec in shared_flows().items():
            await backend.flow(name, spec)
        yield backend


async def run_all(cluster: Cluster, cases: Sequence[Case]) -> list[Outcome | Exception]:
    """Run cases side by side; what kept one from ending stands in its place."""
    async with opened(cluster) as backend:
        found = await asyncio.gather(*map(backend.run, cases), return_exceptions=True)
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, Exception):
            raise one
    return [one for one in found if isinstance(one, Outcome | Exception)]
