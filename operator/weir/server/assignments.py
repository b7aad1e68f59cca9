"""Gives a Pod the attempt that it was made for: once, and to no other Pod."""

from __future__ import annotations

from datetime import timedelta

from weir.api import names
from weir.api.execution import Execution
from weir.api.phases import DesiredState, Phase
from weir.api.reasons import Reason
from weir.core import journal, views
from weir.core.moves import StatusChange, move
from weir.server import connections, refusals
from weir.server.connections import SecretMissing
from weir.server.flows import RevisionMissing, Revisions
from weir.server.identity import Caller, Identity
from weir.server.logbook import LIMIT
from weir.server.presence import Presence
from weir.server.raising import Raises
from weir.server.reports import OUTPUT_LIMIT
from weir.server.runs import attempt_of, require_pod
from weir.server.runtime import Runtime
from weir.server.statuses import Statuses
from weir.server.values import ValueMissing, Values
from weir.storage import attempts, operations
from weir.storage.attempts import Attempt
from weir_connectors import registry
from weir_connectors.errors import UnknownTypeError
from weir_protocol import Assignment, Connection, schemas


class _Ends(Exception):
    """The run cannot be given to anybody: it ends here."""

    def __init__(self, reason: Reason, message: str, phase: Phase = Phase.FAILED) -> None:
        super().__init__(message)
        self.phase = phase
        self.reason = reason
        self.message = message


class Assignments:
    """Answers Pods that ask for work."""

    def __init__(
        self,
        runtime: Runtime,
        identity: Identity,
        statuses: Statuses,
        values: Values,
        presence: Presence,
        revisions: Revisions,
    ) -> None:
        self._runtime = runtime
        self._identity = identity
        self._statuses = statuses
        self._values = values
        self._presence = presence
        self._revisions = revisions

    async def poll(self, caller: Caller) -> Assignment | None:
        """Return the work of a Pod; None: there is none yet.

        Raises Refused, ClusterError, StorageError.
        """
        execution = await self._execution(caller)
        if execution is None:
            return None
        if execution.metadata.namespace != caller.namespace:
            raise refusals.forbidden("this token is of another namespace")
        if execution.phase.is_final:
            raise refusals.ended(f"execution {execution.metadata.name} is {execution.phase}")
        try:
            return await self._assigned(execution, caller)
        except _Ends as end:
            await self._end(execution, caller, end)
            raise refusals.ended(end.message) from None

    async def _execution(self, caller: Caller) -> Execution | None:
        executions = self._runtime.executions
        until = self._runtime.now() + timedelta(seconds=self._runtime.poll_seconds)
        with executions.topics.subscribed([caller.pod_uid]) as subscription:
            execution = executions.by_pod(caller.pod_uid)
            if execution is None:
                await self._identity.require_runner(caller)
            while (execution := executions.by_pod(caller.pod_uid)) is None:
                if self._runtime.stopping.is_set():
                    raise refusals.unavailable("the server is restarting")
                left = (until - self._runtime.now()).total_seconds()
                if not await subscription.wait(left) and left <= 0:
                    return None
        return execution

    async def _assigned(self, execution: Execution, caller: Caller) -> Assignment:
        if execution.spec.desired_state == DesiredState.CANCELLED:
            raise _Ends(Reason.CANCELLED, "cancelled before it began", Phase.CANCELLED)
        new = attempt_of(execution, caller, self._runtime.timestamp())
        before = await self._runtime.database.write(lambda sql: attempts.begin(sql, new))
        resumed = before is not None and before.try_number == new.try_number
        if new.attempt > 1:
            await self._require_journal(execution, new)
        if resumed and before is not None and before.attempt < new.attempt:
            self._require_repeatable(execution)
        connection = await self._connection(execution, caller)
        try:
            flow = await self._revisions.of(execution)
            inputs = {} if connection else await self._values.inputs(execution)
        except RevisionMissing as error:
            raise _Ends(Reason.FLOW_NOT_FOUND, str(error)) from None
        except ValueMissing as error:
            raise _Ends(Reason.JOURNAL_LOST, str(error)) from None
        if flow is not None and flow.input_schema and execution.spec.inputs_ref is not None:
            # The operator checks inputs that it can see.
            wrong = schemas.problem_with_value(flow.input_schema, inputs, what="inputs")
            if wrong is not None:
                raise _Ends(Reason.INVALID_INPUTS, wrong)
        known_since = before.assigned if resumed and before and before.order == new.order else None
        self._presence.began(execution.uid, known_since or new.assigned)
        name = execution.status.flow or execution.spec.flow
        return Assignment(
            namespace=execution.metadata.namespace,
            execution=views.view(execution, inputs={} if connection else inputs, outputs=None),
            try_number=new.try_number,
            attempt=new.attempt,
            script=flow.script if flow else None,
            script_name=f"{name}.py" if execution.spec.flow and name else "script.py",
            connection=connection,
            inputs=inputs,
            seed=f"{execution.uid}/{new.try_number}",
            resumed=resumed,
            server_patience=self._runtime.settings.server_patience,
            log_limit=LIMIT,
            output_limit=OUTPUT_LIMIT,
            requirements=(flow.requirements or []) if flow else [],
            environment=self._runtime.settings.environment or execution.metadata.namespace,
            user=self._user(execution),
        )

    def _user(self, execution: Execution) -> str:
        """Return who made the root of the tree, as its maker said; empty: it is not known."""
        root = execution
        if execution.spec.parent is not None:
            above = self._runtime.executions.by_key((execution.metadata.namespace, execution.root))
            root = above or execution
        return root.metadata.annotations.get(names.CREATED_BY, "")[:253]

    async def _require_journal(self, execution: Execution, new: Attempt) -> None:
        """A later attempt goes on from the journal: it must be the right one, and whole."""
        recorded = await self._runtime.database.read(
            lambda sql: operations.sequences(sql, new.uid, new.try_number)
        )
        parents = [child.spec.parent for child in self._runtime.executions.children(new.uid)]
        effects = {one.sequence for one in parents if one and one.try_number == new.try_number}
        why = journal.loss(
            named=execution.status.journal,
            identity=self._runtime.database.identity,
            recorded=recorded,
            effects=effects,
        )
        if why is not None:
            raise _Ends(Reason.JOURNAL_LOST, f"{why}: the run cannot be resumed")

    def _require_repeatable(self, execution: Execution) -> None:
        """A connection that has begun is not run again, unless nothing can come of it."""
        connection = execution.spec.connection
        if connection is None:
            return
        inputs = execution.spec.inputs or {}
        catalog = self._runtime.catalogs.connectors(execution.metadata.namespace)
        connector = catalog.find(connection.connector) if connection.connector else None
        type_ = connector.spec.type if connector else connection.type or ""
        defaults = (connector.spec.inputs if connector else None) or {}
        try:
            repeatable = registry.repeatable(type_, {**defaults, **inputs})
        except UnknownTypeError:
            repeatable = False
        if not repeatable:
            raise _Ends(
                Reason.RUNNER_LOST,
                "the connection's Pod was lost when it had begun; it is not run again, since what "
                "it did cannot be known",
            )

    async def _connection(self, execution: Execution, caller: Caller) -> Connection | None:
        wanted = execution.spec.connection
        if wanted is None:
            return None
        try:
            given = await self._values.inputs(execution)
            resolved = connections.resolve(
                self._runtime.catalogs.connectors(execution.metadata.namespace),
                connector=wanted.connector,
                type_=wanted.type,
                given=given,
                mode=execution.spec.mode,
            )
            if resolved.secret_names:
                await self._identity.review(caller)
            inputs = await connections.with_secrets(self._runtime.cluster, resolved)
        except ValueMissing as error:
            raise _Ends(Reason.JOURNAL_LOST, str(error)) from None
        except SecretMissing as error:
            raise _Ends(Reason.SECRET_NOT_FOUND, str(error)) from None
        except Raises as error:
            missing = error.error.type == "ResourceNotFoundError"
            reason = Reason.CONNECTOR_NOT_FOUND if missing else Reason.INVALID_INPUTS
            raise _Ends(reason, f"{error.error.type}: {error.error.message}") from None
        by_nature = connections.secret_by_nature(resolved.type) & inputs.keys()
        protected = set(execution.spec.protect_inputs) & inputs.keys()
        secret = sorted(resolved.secret_names | by_nature | protected)
        return Connection(type=resolved.type, inputs=inputs, secret_inputs=secret)

    async def _end(self, execution: Execution, caller: Caller, end: _Ends) -> None:
        def change(newest: Execution) -> StatusChange:
            require_pod(newest, caller.pod_uid)
            return move(
                newest,
                end.phase,
                now=self._runtime.now(),
                reason=end.reason,
                message=end.message,
                children=self._statuses.counts(newest),
            )

        await self._statuses.change(execution.uid, change)
        self._presence.ended(execution.uid)
