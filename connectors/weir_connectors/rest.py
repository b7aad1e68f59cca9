"""The REST connection type: one HTTP request.

    this.connect(
        connector_type='REST', url='https://api.example.com/items', params={'page': 2}
    )

Outputs: `status_code`, `headers` (names as in `Content-Type`), `cookies` (those that servers have
set), `encoding` (how the body's text was encoded), and the body: `json` if it is JSON, else `text`,
or `content` (base64) if it is no text. With `dst` the body is kept as a file instead, and the
outputs have its `size_bytes`.
"""

from __future__ import annotations

from typing import Any

from weir_connectors import stopping
from weir_connectors.connector import ConnectorType, Context
from weir_connectors.errors import ConnectionFailed, InvalidInputError
from weir_connectors.inputs import marked, parse
from weir_connectors.rest_inputs import REPEATABLE, RestInputs

try:
    from weir_connectors import rest_exchange
except ImportError as error:
    _missing: ImportError | None = error
else:
    _missing = None


class RestConnector:
    """Runs REST connections."""

    name = "REST"
    Inputs: type[Any] = RestInputs
    transport_inputs = marked(RestInputs, "transport")

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        """GET and HEAD only read."""
        return str(inputs.get("method", "get")).upper() in REPEATABLE

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Send the request, and return the outputs.

        Raises:
            InputError: the inputs do not fit; nothing was sent.
            ConnectionFailed: unreachable, an unexpected status, too large, or out of time.
            ConnectionCancelled: the context said so.
        """
        return _run(parse(self.name, RestInputs, inputs), context)


CONNECTOR: ConnectorType = RestConnector()


def _run(parsed: RestInputs, context: Context) -> dict[str, Any]:
    if _missing is not None:
        raise ConnectionFailed(
            f"REST: this image lacks httpx; take Weir's runner image ({_missing})"
        )
    if parsed.address().password is not None:
        context.log(
            "url holds a password, which everybody who may see this run can read; better keep it"
            " in a Connector's secretInputs"
        )
    if parsed.data is not None:
        context.log("the input data is deprecated: give urlencoded for a form, body for a text")
    if parsed.dst is not None and context.save_file is None:
        raise InvalidInputError("REST: invalid input dst: expected none, there are no files here")
    received = stopping.run(rest_exchange.exchange(parsed, context), context.cancelled, "REST")
    if parsed.dst is None or context.save_file is None:
        return received.outputs()
    context.save_file(parsed.dst, received.body)
    return received.outputs_without_body()
