"""Waiting for the end of a run, and telling the caller of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from weir.api import durations
from weir.api.execution import Execution
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.webhook import Webhook
from weir.core import webhook_answers
from weir.core.webhook_answers import BadAnswer, HookAnswer
from weir.server import answers
from weir.server.runtime import Runtime
from weir.server.values import ValueMissing, Values

logger = logging.getLogger(__name__)

EXECUTION = "x-weir-execution"
# How often it is looked whether the caller is still there.
_LOOK_SECONDS = 2.0
_LONGEST = 3600.0


class Answering:
    """Answers the callers of Webhooks."""

    def __init__(self, runtime: Runtime, clock: Callable[[], float] = time.monotonic) -> None:
        self._runtime = runtime
        self._values = Values(runtime)
        self._clock = clock

    async def answer(
        self, request: Request, webhook: Webhook, execution: Execution, *, is_named: bool
    ) -> Response:
        """Return the answer once the run has ended, or its time is over. Raises ClusterError.

        `is_named`: the same request again is the same run.
        """
        seconds = durations.parse(webhook.spec.timeout).total_seconds()
        until = self._clock() + min(seconds, _LONGEST)
        uid = execution.uid
        with self._runtime.executions.topics.subscribed([uid]) as news:
            while True:
                known = self._runtime.executions.get(uid)
                if known is None:
                    return _failed(execution, 503, "Gone", "the run was deleted")
                if known.phase.is_final:
                    return await self._of_ended(known)
                left = until - self._clock()
                if self._runtime.stopping.is_set():
                    return _interrupted(execution, is_named=is_named)
                if left <= 0:
                    return _failed(
                        execution, 504, "Timeout", "the run has not ended yet; it goes on"
                    )
                if await request.is_disconnected():
                    return Response(status_code=499)  # which nobody reads; the run goes on
                await news.wait(min(left, _LOOK_SECONDS))

    async def _of_ended(self, execution: Execution) -> Response:
        phase, reason = execution.phase, execution.status.reason
        if phase == Phase.CANCELLED:
            return _failed(execution, 503, "Cancelled", "the run was cancelled")
        if phase == Phase.FAILED and reason == Reason.INVALID_INPUTS:
            return _failed(
                execution, 422, "InvalidInputs", "the request does not fit the flow's inputSchema"
            )
        if phase == Phase.FAILED:
            return _failed(execution, 500, "RunFailed", "the run failed")
        whole = await self._values.whole(execution.uid)
        try:
            outputs = await self._values.outputs(whole or execution)
            told = webhook_answers.answer_of(outputs, execution.spec.protect_outputs)
        except (BadAnswer, ValueMissing) as error:
            logger.warning(
                "Webhook not answered",
                extra={
                    "namespace": execution.metadata.namespace,
                    "execution": execution.metadata.name,
                    "error": str(error)[:300],
                },
            )
            return _failed(execution, 500, "BadAnswer", "what the run answers cannot be sent")
        return _sent(told, execution)


def accepted(execution: Execution) -> Response:
    """Return the answer to who does not wait."""
    answer = answers.as_json({"execution": execution.metadata.name}, 202)
    answer.headers["location"] = _location(execution)
    answer.headers[EXECUTION] = execution.metadata.name
    return answer


def _interrupted(execution: Execution, *, is_named: bool) -> Response:
    if not is_named:  # to send it again would run it again
        return accepted(execution)
    answer = _failed(execution, 503, "Stopping", "the server is stopping: send it again")
    answer.headers["retry-after"] = "1"
    return answer


def _failed(execution: Execution, status: int, code: str, message: str) -> Response:
    """Return an answer that names the run, and nothing of what its script said."""
    told = {"code": code, "message": message, "execution": execution.metadata.name}
    answer = answers.as_json(told, status)
    answer.headers["location"] = _location(execution)
    answer.headers[EXECUTION] = execution.metadata.name
    return answer


def _sent(told: HookAnswer, execution: Execution) -> Response:
    answer = Response(told.body, told.status)
    if told.status in (204, 205, 304):
        del answer.headers["content-length"]
    for name, value in told.headers:
        answer.headers.append(name, value)
    answer.headers[EXECUTION] = execution.metadata.name
    return answer


def _location(execution: Execution) -> str:
    namespace, name = execution.key
    return f"/api/v1/namespaces/{namespace}/executions/{name}"
