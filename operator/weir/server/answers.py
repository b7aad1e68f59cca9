"""HTTP answers: results as JSON, and every failure as a Refusal."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from starlette.requests import Request
from starlette.responses import Response

from weir.cluster.errors import ClusterError
from weir.server.refusals import Refused, fenced, unavailable
from weir.storage.errors import Fenced, StorageError
from weir_protocol import Refusal, encode

logger = logging.getLogger(__name__)

Endpoint: TypeAlias = Callable[[Request], Awaitable[Response]]

# Seconds after which to ask again when the server, or what it needs, is away.
_RETRY_AFTER = "1"


def as_json(data: Any, status: int = 200) -> Response:
    """Return data as an answer."""
    text = json.dumps(data, separators=(",", ":"))
    return Response(text, status, media_type="application/json")


def refused(error: Refused) -> Response:
    """Return the answer that says no."""
    answer = as_json(encode(error.refusal), error.status)
    if error.status == 503:
        answer.headers["retry-after"] = _RETRY_AFTER
    return answer


def guarded(endpoint: Endpoint) -> Endpoint:
    """Return an endpoint whose every failure is an answer with a Refusal."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Refused as error:
            return refused(error)
        except Fenced as error:
            return refused(fenced(str(error)))
        except ClusterError as error:
            logger.warning(
                "API server refused",
                extra={"path": request.url.path, "error": error.message[:500]},
            )
            return refused(unavailable(f"the cluster does not answer: {error.message[:300]}"))
        except StorageError as error:
            logger.error("Database failed", extra={"error": str(error)[:500]})
            return refused(unavailable(str(error)[:300]))
        except Exception:
            logger.exception("Request failed", extra={"path": request.url.path})
            failure = Refusal(code="Internal", message="the server has a bug; see its log")
            return as_json(encode(failure), 500)

    return answer
