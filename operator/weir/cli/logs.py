"""`weir logs`: the log of a run, or of its whole family, as far as it is or to its end."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from weir.api.execution import Execution
from weir.api.resource import JsonObject, render_time
from weir.cli import families, finding, logstream, transcript
from weir.cli.errors import ExitCode
from weir.cli.output import VALUES, Output, in_stream, way_of
from weir.cli.server import Entry, Server, reached
from weir.cli.session import Session

WAYS = (Output.TEXT, *VALUES)


async def show(
    session: Session, name: str, *, follow: bool, timestamps: bool, tree: bool, output: str = "text"
) -> ExitCode:
    """Print the log. With `tree` also those of all descendants, in the order of time.

    Raises CliError, ClusterError.
    """
    way = way_of(output, WAYS, "a log is no object")
    name = finding.plain_name(name)
    async with reached(session) as server:
        printer = _Printer(session, server, timestamps=timestamps, names=tree, way=way)
        if not tree:
            # The server has the logs of runs whose object is gone, too: it says who is unknown.
            await printer.print_one(name, follow=follow)
        elif follow:
            await printer.follow_family(await finding.execution(session, name))
        else:
            await printer.print_family(await finding.execution(session, name))
    return ExitCode.SUCCEEDED


@dataclass(frozen=True)
class _Printer:
    session: Session
    server: Server
    timestamps: bool
    names: bool
    way: Output

    async def print_one(self, name: str, *, follow: bool) -> None:
        log = logstream.entries(self.session, self.server, name, follow=follow)
        async with aclosing(log) as entries:
            async for entry in entries:
                self._print(name, entry)

    async def print_family(self, top: Execution) -> None:
        found: list[tuple[str, Entry]] = []
        members = await finding.family(self.session, top.root)
        for one in families.below(members, top):
            async with aclosing(self.server.logs(self.session.namespace, one.metadata.name)) as log:
                found += [(one.metadata.name, entry) async for entry in log]
        for name, entry in sorted(found, key=lambda item: item[1].time):
            self._print(name, entry)

    async def follow_family(self, top: Execution) -> None:
        readers: dict[str, asyncio.Task[None]] = {}
        try:
            async with asyncio.TaskGroup() as group:
                async for members in families.states(self.session, top.root):
                    family = families.below(members, top)
                    for one in family:
                        if one.uid not in readers:
                            reading = self.print_one(one.metadata.name, follow=True)
                            readers[one.uid] = group.create_task(reading)
                    if all(one.phase.is_final for one in family):
                        break  # the group waits for the ends of the logs
        except BaseExceptionGroup as group_of_errors:
            raise group_of_errors.exceptions[0] from None

    def _print(self, name: str, entry: Entry) -> None:
        if self.way != Output.TEXT:
            print(in_stream(_record(name, entry), self.way), end="", flush=True)
            return
        line = transcript.render(
            entry,
            now=self.session.now(),
            terminal=self.session.out,
            timestamps=self.timestamps,
            who=name if self.names else "",
        )
        print(line, flush=True)


def _record(name: str, entry: Entry) -> JsonObject:
    return {
        "execution": name,
        "time": render_time(entry.time, exact=True),
        "stream": entry.stream,
        "try": entry.try_number,
        "text": entry.text.rstrip("\n"),
    } | ({"data": entry.data} if entry.data else {})
