"""The operation `once`: what a function of the script returned is kept, and returned again."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from weir.core import journal
from weir.server import raising
from weir.server.runs import Run
from weir.server.steps import Plan, Result
from weir.storage.operations import Record
from weir_protocol import ErrorInfo
from weir_protocol.arguments import OnceArguments

# It stands in the journal itself.
_MAX_VALUE = 2**20


class Onces:
    """Records results of functions."""

    def plan(self, run: Run, sequence: int, arguments: OnceArguments) -> Plan[None]:
        """Check the value. Raises Raises."""
        size = len(json.dumps(arguments.value))
        if size > _MAX_VALUE:
            raise raising.Raises(
                "InvalidInputError",
                f"the result has {size} bytes as JSON and may have {_MAX_VALUE}: "
                "save a file, and return its name",
            )
        return Plan(None, digest=journal.digest_of_json(arguments.name))

    async def act(
        self, run: Run, record: Record, plan: Any, arguments: OnceArguments, until: datetime
    ) -> Result:
        """Record what the function came to; `ask` finds no record here, or it was answered."""
        if arguments.step == "ask":
            return Result(is_open=True)
        if arguments.error_type is not None:
            return Result(
                error=ErrorInfo(type=arguments.error_type[:200], message=arguments.error_message)
            )
        return Result(value=arguments.value)
