"""`weir run FILE`: runs a script in this process, without a cluster."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

import weir_local
from weir.api import durations
from weir.api.execution import Execution
from weir.api.names import API_VERSION
from weir.api.phases import Mode, Phase
from weir.api.resource import JsonObject, render_time
from weir.cli import following, inputs, local_flows, times, transcript, trees
from weir.cli.errors import CliError, ExitCode
from weir.cli.local_options import Here, is_file
from weir.cli.output import Output, written
from weir.cli.prompting import Abandoned, Prompter
from weir.cli.server import Entry
from weir.cli.tables import PHASE_COLOURS
from weir.cli.terminal import Terminal, one_line, say
from weir_local.execution import Execution as Running
from weir_local.people import Question, Reply, ScriptedPeople
from weir_local.result import Result
from weir_local.world import World
from weir_protocol import LogLine


async def run(request: Here) -> ExitCode:
    """Run the script, printing its log as it comes, then its family and its outputs.

    Ctrl-C cancels the run; a second one leaves at once. Raises CliError.
    """
    return await _Session(request).run()


class _Session:
    """One call of the command."""

    def __init__(self, request: Here) -> None:
        self._request = request
        # As they are now: while a script runs, its prints go to its log.
        self._stdout, self._stderr = sys.stdout, sys.stderr
        self._out = Terminal.of(sys.stdout)
        self._err = Terminal.of(sys.stderr)
        self._news: asyncio.Queue[Callable[[], Result | None]] = asyncio.Queue()
        self._loop = asyncio.get_running_loop()

    async def run(self) -> ExitCode:
        request = self._request
        given = inputs.gather(request.inputs, request.input_files, request.inputs_file)
        flow, found = self._flow()
        people = _People(_answers(self._request.answers))
        local = weir_local.Local(
            found.flows,
            connections=weir_local.ScriptedConnections(
                _connections(self._request.connections),
                otherwise=weir_local.RealConnections(found.connectors),
            ),
            people=people,
            skip_time=request.skip_time,
            listen=self._heard,
            mode="Development"
            if request.development or request.mode == Mode.DEVELOPMENT
            else "Productive",
        )
        people.tell = lambda text: _write(self._stderr, text)
        if sys.stdin.isatty():
            people.ask = lambda question: self._asked(local.world, question)
        local.services.store.preset(
            settings=found.settings, schemas=found.schemas, now=local.world.clock.now()
        )
        where = flow.path or f"flow {flow.name}"
        say(self._err.paint(f"{where} runs in this process, without a cluster", "dim"))
        try:
            root = local.start(flow, given, title=self._request.title)
        except weir_local.LocalError as error:
            raise CliError(str(error)) from None
        threading.Thread(target=self._wait, args=(local, root), daemon=True).start()
        result = await self._followed(local, root)
        return self._told(result)

    def _flow(self) -> tuple[weir_local.Flow, local_flows.Found]:
        target, folder = self._request.target, self._request.flows
        path = Path(target)
        if is_file(target):
            if not path.is_file():
                raise CliError(f"there is no file {path}")
            found = local_flows.found_in(folder or path.absolute().parent)
            flow = local_flows.with_file(found.flows, path)
        else:
            found = local_flows.found_in(folder or Path.cwd())
            known = found.flows.find(target)
            if known is None:
                names = ", ".join(one.title for one in found.flows)
                raise CliError(
                    f"there is no flow {target!r} in {folder or Path.cwd()}: "
                    f"{f'there are {names}' if names else 'it has no scripts and no Flows'}"
                )
            flow = known
        if self._request.timeout is not None:
            try:
                durations.parse(self._request.timeout)
            except ValueError as error:
                raise CliError(f"--timeout: {error}") from None
            flow = replace(flow, timeout=self._request.timeout)
        return flow, found

    def _wait(self, local: weir_local.Local, root: Running) -> None:
        """Wait in a thread of its own for the end of all, and tell the event loop."""
        try:
            result = local.wait(root)
            news: Callable[[], Result | None] = lambda: result  # noqa: E731
        except weir_local.NothingHappens as error:
            message = f"{error}; {_advice(str(error))}"

            def news() -> Result | None:
                raise CliError(message, ExitCode.UNABLE)

        self._loop.call_soon_threadsafe(self._news.put_nowait, news)

    async def _followed(self, local: weir_local.Local, root: Running) -> Result:
        is_cancelled = False
        while True:
            try:
                result = (await self._news.get())()
            except (asyncio.CancelledError, Abandoned, KeyboardInterrupt):
                if is_cancelled:
                    raise
                is_cancelled = True
                task = asyncio.current_task()
                if task is not None:
                    task.uncancel()
                say(self._err.paint("cancelling; Ctrl-C again leaves at once", "yellow"))
                local.world.cancel(root)
                continue
            if result is not None:
                return result

    def _asked(self, world: World, question: Question) -> None:
        """Have a question asked in the main thread, which Ctrl-C reaches."""

        def ask() -> None:
            try:
                prompter = Prompter(self._err)
                given = prompter.fill_in(
                    question.form, subject=question.subject, text=question.message
                )
                with world.lock:
                    question.answer(given)
            finally:
                world.detach()

        world.attach()
        self._loop.call_soon_threadsafe(self._news.put_nowait, ask)

    def _heard(self, execution: Running, line: LogLine) -> None:
        entry = Entry(
            cursor=0,
            time=datetime.fromtimestamp(line.time, UTC),
            stream=line.stream,
            text=line.text,
            data=line.data,
        )
        stream, terminal = (
            (self._stderr, self._err) if self._request.only_outputs else (self._stdout, self._out)
        )
        who = "" if execution.parent is None else execution.name
        shown = transcript.render(entry, now=datetime.now(UTC), terminal=terminal, who=who)
        _write(stream, shown)

    def _told(self, result: Result) -> ExitCode:
        now = datetime.now(UTC)
        if result.children:
            node = _node(result, None, now)
            say("")
            for line in trees.render(node, now=now, terminal=self._err):
                say(line)
        else:
            run = _execution(result, None, now)
            why, length = trees.explain(run), times.duration(run, now)
            phase = self._err.paint(result.phase, PHASE_COLOURS[run.phase])
            say(f"{phase}{f' after {length}' if length else ''}{f': {why}' if why else ''}")
        if result.outputs:
            way = Output(self._request.output or Output.JSON)
            _write(self._stdout, written(result.outputs, way).rstrip("\n"))
        return following.EXIT_CODES[Phase(result.phase)]


class _People(ScriptedPeople):
    """Answers from the command line, else asks whom it is told to ask."""

    ask: Callable[[Question], None] | None = None
    tell: Callable[[str], None] = say

    def sent(self, question: Question) -> None:
        """Answer it, or show it if it is a notice."""
        super().sent(question)
        if question.form.is_notice and question.response is None:
            text = f": {one_line(question.message)}" if question.message else ""
            self.tell(f"message: {one_line(question.subject)}{text}")

    def awaited(self, question: Question) -> None:
        """Have it asked."""
        if self.ask is not None:
            self.ask(question)


def _write(stream: TextIO, text: str) -> None:
    stream.write(f"{text}\n")
    stream.flush()


def _answers(pairs: tuple[str, ...]) -> dict[str, Reply]:
    found: dict[str, Reply] = {}
    for pair in pairs:
        subject, value = _split(pair, "--answer", "SUBJECT=VALUE")
        found[subject] = value if isinstance(value, dict | str) else json.dumps(value)
    return found


def _connections(pairs: tuple[str, ...]) -> dict[str, weir_local.Scripted]:
    found: dict[str, weir_local.Scripted] = {}
    for pair in pairs:
        name, value = _split(pair, "--connection", "NAME=OUTPUTS")
        if isinstance(value, str) and value.startswith("@"):
            value = inputs.read_object(Path(value[1:]))
        found[name] = value if isinstance(value, dict) else ConnectionError(str(value))
    return found


def _split(pair: str, option: str, form: str) -> tuple[str, Any]:
    name, equals, text = pair.partition("=")
    if not equals or not name.strip():
        raise CliError(f"{option} {pair!r}: write {form}")
    return name.strip(), inputs.value(text)


def _advice(why: str) -> str:
    if "an answer to the message" in why:
        return "say it by --answer 'SUBJECT=VALUE', or run it on a terminal"
    if "resume" in why:
        return "nobody resumes a paused run without a cluster"
    return "the run was cancelled"


def _node(result: Result, parent: Result | None, now: datetime) -> trees.Node:
    children = tuple(_node(child, result, now) for child in result.children)
    return trees.Node(_execution(result, parent, now), children)


def _execution(result: Result, parent: Result | None, now: datetime) -> Execution:
    """Return a run as the objects of a cluster show it."""
    status: JsonObject = {"phase": result.phase, "title": result.title}
    if result.reason is not None:
        status["reason"] = result.reason
    if result.message is not None:
        status["message"] = result.message
    if result.duration is not None:
        began = now.timestamp() - result.duration
        status["startTime"] = render_time(datetime.fromtimestamp(began, UTC), exact=True)
        status["duration"] = durations.render(now - datetime.fromtimestamp(began, UTC))
    target: JsonObject = {"script": "-"}
    if result.flow_name is not None:
        target = {"flow": result.flow_name}
    elif result.connector_type is not None:
        target = {"connection": {"type": result.connector_type}}
    return Execution.model_validate(
        {
            "apiVersion": API_VERSION,
            "kind": Execution.KIND,
            "metadata": {"name": result.name, "uid": result.uid, "namespace": ""},
            "spec": target,
            "status": status,
        }
    )
