"""Names for the shell's completion. Silent where no cluster answers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import typer

from weir.cli.session import Options, opened

if TYPE_CHECKING:
    from weir.cluster.kinds import Kind

_PATIENCE = 3.0


def flow_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Flows that begin so."""
    from weir.cluster.kinds import FLOWS

    return _names(context, FLOWS, incomplete)


def execution_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Executions that begin so."""
    from weir.cluster.kinds import EXECUTIONS

    return _names(context, EXECUTIONS, incomplete)


def message_names(context: typer.Context, incomplete: str) -> list[str]:
    """Return the names of Messages that begin so."""
    from weir.cluster.kinds import MESSAGES

    return _names(context, MESSAGES, incomplete)


def _names(context: typer.Context, kind: Kind, incomplete: str) -> list[str]:
    import weir.cluster.client  # noqa: F401  the imports may take as long as they do

    before = context.parent.params if context.parent else {}
    given = before | {key: value for key, value in context.params.items() if value is not None}
    options = Options(
        namespace=given.get("namespace"),
        kubeconfig=given.get("kubeconfig"),
        context=given.get("kube_context"),
    )

    async def ask() -> list[str]:
        async with asyncio.timeout(_PATIENCE), opened(options) as session:
            listing = await session.cluster.list(kind, session.namespace)
            return [item["metadata"]["name"] for item in listing.items]

    try:
        return [name for name in asyncio.run(ask()) if name.startswith(incomplete)]
    except Exception:
        return []
