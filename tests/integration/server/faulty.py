"""`weir-server` that stops dead at a place named in the environment: there a test kills it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from weir.server import main
from weir.server.children import Children
from weir.server.statuses import Statuses


async def hang() -> None:
    Path(os.environ["FAULT_MARK"]).touch()
    await asyncio.Event().wait()


def install(place: str) -> None:
    act, change = Children.act, Statuses.change

    async def before(self: Children, *arguments: Any) -> Any:
        await hang()

    async def after(self: Children, *arguments: Any) -> Any:
        await act(self, *arguments)
        await hang()

    async def written(self: Statuses, *arguments: Any) -> Any:
        await change(self, *arguments)
        await hang()

    if place == "before the child is made":
        Children.act = before  # type: ignore[method-assign,assignment]
    elif place == "after the child is made":
        Children.act = after  # type: ignore[method-assign,assignment]
    elif place == "after the end is written":
        Statuses.change = written  # type: ignore[method-assign,assignment]


if __name__ == "__main__":
    install(os.environ["FAULT"])
    main.main()
