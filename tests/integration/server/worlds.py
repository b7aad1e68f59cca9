"""What stands around the server in these tests: an operator that does as told, and a runner that is
driven line by line.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import ssl
import uuid
from typing import Any

import httpx

import weir_protocol as protocol
from weir.api import names
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.resource import JsonObject
from weir.cluster.client import Cluster
from weir.cluster.errors import AlreadyExists
from weir.cluster.kinds import (
    CONNECTORS,
    CONTROLLER_REVISIONS,
    EXECUTIONS,
    FLOWS,
    PODS,
)
from weir.core import revisions
from weir_protocol.arguments import (
    CancelArguments,
    ChildArguments,
    OperationKind,
    ReadArguments,
    RunArguments,
    SaveArguments,
    WaitArguments,
)

SCRIPT = "def handler(system, this):\n    return this.success('all done')\n"


class Refused(Exception):
    """The server said no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status, self.code, self.message = status, code, message


class World:
    """A namespace, with the few things that the operator does to it."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self.cluster = cluster
        self.namespace = namespace

    async def prepare(self) -> None:
        """Make the service account that Pods use."""
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts"
        with contextlib.suppress(AlreadyExists):
            await self.cluster.raw("POST", path, {"metadata": {"name": "default"}})

    async def flow(self, name: str, script: str = SCRIPT, **spec: Any) -> Flow:
        """Create a Flow with its revision, as if the operator had seen it."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "Flow",
            "metadata": {"name": name},
            "spec": {"script": script, **spec},
        }
        flow = Flow.model_validate(await self.cluster.create(FLOWS, self.namespace, body))
        await self.cluster.create(CONTROLLER_REVISIONS, self.namespace, revisions.manifest(flow))
        return flow

    async def connector(self, name: str, **spec: Any) -> JsonObject:
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "Connector",
            "metadata": {"name": name},
            "spec": spec,
        }
        return await self.cluster.create(CONNECTORS, self.namespace, body)

    async def execution(self, **spec: Any) -> Execution:
        """Create a root Execution."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": "Execution",
            "metadata": {"name": f"run-{uuid.uuid4().hex[:8]}"},
            "spec": spec,
        }
        created = await self.cluster.create(EXECUTIONS, self.namespace, body)
        return Execution.model_validate(created)

    async def get(self, name: str) -> Execution:
        item = await self.cluster.get(EXECUTIONS, self.namespace, name)
        return Execution.model_validate(item)

    async def executions(self) -> list[Execution]:
        listing = await self.cluster.list(EXECUTIONS, self.namespace)
        return [Execution.model_validate(item) for item in listing.items]

    async def status(self, name: str, **fields: Any) -> Execution:
        """Write a status, as the operator or a person with all rights may."""
        item = await self.cluster.patch(
            EXECUTIONS, self.namespace, name, {"status": fields}, status=True
        )
        return Execution.model_validate(item)

    async def desire(self, name: str, state: str) -> None:
        await self.cluster.patch(
            EXECUTIONS, self.namespace, name, {"spec": {"desiredState": state}}
        )

    async def delete(self, name: str) -> None:
        await self.cluster.delete(EXECUTIONS, self.namespace, name)

    async def pod(
        self, name: str, execution: str | None, *, labels: dict[str, str] | None = None
    ) -> JsonObject:
        """Create a Pod that nobody runs."""
        given = {names.MANAGED_BY_LABEL: names.MANAGED_BY, names.EXECUTION_LABEL: execution or ""}
        body = {
            "metadata": {"name": name, "labels": given if labels is None else labels},
            "spec": {
                "serviceAccountName": "default",
                "automountServiceAccountToken": False,
                "containers": [{"name": "runner", "image": "runner"}],
            },
        }
        return await self.cluster.create(PODS, self.namespace, body)

    async def token(self, pod: JsonObject, audience: str = protocol.AUDIENCE) -> str:
        """Return a token that is bound to a Pod."""
        body = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "audiences": [audience],
                "expirationSeconds": 600,
                "boundObjectRef": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": pod["metadata"]["name"],
                    "uid": pod["metadata"]["uid"],
                },
            },
        }
        path = f"/api/v1/namespaces/{self.namespace}/serviceaccounts/default/token"
        answer = await self.cluster.raw("POST", path, body)
        token: str = answer["status"]["token"]
        return token

    async def start(
        self, execution: Execution, *, attempt: int = 1, try_number: int = 1
    ) -> tuple[JsonObject, str]:
        """Do what the operator does to start an attempt; return its Pod and the Pod's token."""
        name = execution.metadata.name
        pod = await self.pod(names.pod_name(name, execution.uid, attempt), name)
        flow = execution.spec.flow
        fields: JsonObject = {
            "phase": "Starting",
            "attempt": attempt,
            "try": try_number,
            "flow": flow or "script",
            "runner": {"pod": pod["metadata"]["name"], "podUID": pod["metadata"]["uid"]},
        }
        if flow is not None:
            item = await self.cluster.get(FLOWS, self.namespace, flow)
            fields["revision"] = revisions.revision_of(Flow.model_validate(item).spec)
        await self.status(name, **fields)
        return pod, await self.token(pod)

    async def end(self, name: str, phase: str = "Succeeded", **fields: Any) -> Execution:
        """End an Execution without a runner."""
        execution = await self.get(name)
        if execution.phase in ("Pending", "Queued"):
            await self.status(name, phase="Starting")
        return await self.status(name, phase=phase, completionTime="2026-01-01T00:00:00Z", **fields)


class Runner:
    """One attempt, at the level of the protocol."""

    def __init__(self, server: str, authority: str, token: str) -> None:
        context = ssl.create_default_context(cadata=authority)
        self._client = httpx.AsyncClient(
            base_url=server, verify=context, timeout=40, trust_env=False
        )
        self._token = token
        self.assignment: protocol.Assignment | None = None
        self.sequence = 0
        self.requests = 0

    async def close(self) -> None:
        await self._client.aclose()

    async def post(self, path: str, message: Any, *, token: str | None = None) -> JsonObject | None:
        """Post once. Raises Refused."""
        self.requests += 1
        answer = await self._client.post(
            f"{protocol.PATH}/{path}",
            content=json.dumps(
                protocol.encode(message) if dataclasses.is_dataclass(message) else message
            ),
            headers={"authorization": f"Bearer {token or self._token}"},
        )
        if answer.status_code == 204:
            return None
        data: JsonObject = answer.json()
        if answer.status_code >= 400:
            raise Refused(answer.status_code, data["code"], data["message"])
        return data

    async def assigned(self) -> protocol.Assignment:
        """Ask until there is work."""
        while True:
            data = await self.post("assignment", protocol.Ask())
            if data is not None:
                self.assignment = protocol.decode(protocol.Assignment, data)
                return self.assignment

    @property
    def _sender(self) -> dict[str, Any]:
        assert self.assignment is not None
        return {
            "uid": self.assignment.execution.uid,
            "try_number": self.assignment.try_number,
            "attempt": self.assignment.attempt,
        }

    def operation(self, kind: OperationKind, arguments: Any, **fields: Any) -> protocol.Operation:
        """Return the next operation."""
        self.sequence += 1
        return protocol.Operation(
            **self._sender,
            sequence=self.sequence,
            kind=kind,
            arguments=dataclasses.asdict(arguments),
            **fields,
        )

    async def ask(self, operation: protocol.Operation) -> protocol.Answer:
        """Send an operation until it is answered."""
        while True:
            data = await self.post("operations", operation)
            assert data is not None
            answer = protocol.decode(protocol.Answer, data)
            if answer.state != "pending":
                return answer

    async def child(self, **arguments: Any) -> protocol.Answer:
        return await self.ask(self.operation("child", ChildArguments(**arguments)))

    async def wait(self, *uids: str, **arguments: Any) -> protocol.Answer:
        waits = WaitArguments(uids=list(uids), **arguments)
        return await self.ask(self.operation("wait", waits))

    async def read(self, uid: str) -> protocol.Answer:
        return await self.ask(self.operation("read", ReadArguments(uid=uid)))

    async def save(self, **arguments: Any) -> protocol.Answer:
        return await self.ask(self.operation("save", SaveArguments(**arguments)))

    async def cancel(self, uid: str) -> protocol.Answer:
        return await self.ask(self.operation("cancel", CancelArguments(uid=uid)))

    async def run(self, uid: str) -> protocol.Answer:
        return await self.ask(self.operation("run", RunArguments(uid=uid)))

    async def control(self) -> protocol.Control:
        data = await self.post("control", protocol.Ask(**self._sender))
        assert data is not None
        return protocol.decode(protocol.Control, data)

    async def log(self, *texts: str, after: int | None = None) -> None:
        lines = [
            protocol.LogLine(
                after=self.sequence if after is None else after,
                index=index,
                time=1.0,
                stream="log",
                text=text,
            )
            for index, text in enumerate(texts)
        ]
        await self.post("logs", protocol.LogBatch(**self._sender, lines=lines))

    def end_report(self, status: Any = "success", **fields: Any) -> protocol.End:
        return protocol.End(**self._sender, status=status, **fields)

    async def end(self, status: Any = "success", **fields: Any) -> None:
        await self.post("end", self.end_report(status, **fields))


async def until(condition: Any, *, seconds: float = 60.0) -> Any:
    """Return the first true value of an async condition."""
    async with asyncio.timeout(seconds):
        while True:
            if value := await condition():
                return value
            await asyncio.sleep(0.02)
