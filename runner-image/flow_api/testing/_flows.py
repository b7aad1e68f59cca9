"""The fixture `flows`."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from flow_api.testing._connections import TestConnections
from flow_api.testing._values import Files, Values
from weir_local import Flow, Flows, Local, NothingHappens, Result, Source, flow
from weir_local.people import Question, Reply, ScriptedPeople
from weir_local.result import told

if TYPE_CHECKING:
    from flow_api import Execution, System
    from flow_api.testing._cassettes import Record
    from weir_local.execution import Execution as Running

Handler = TypeVar("Handler", bound=Callable[..., Any])


class Started:
    """A run that was started and not waited for. Time passes only while the test waits."""

    def __init__(self, local: Local, root: Running, runs: list[Result]) -> None:
        self._local = local
        self._root = root
        self._runs = runs

    @property
    def status(self) -> str:
        """How it stands, in the word that scripts read."""
        return self._local.result(self._root).status

    def wait(self, seconds: float) -> bool:
        """Let seconds pass, or fewer if it ends before; return whether it has ended."""
        return self._local.passes(self._root, seconds)

    def cancel(self) -> None:
        """Cancel it, as a person would."""
        self._local.world.cancel(self._root)

    def pause(self) -> None:
        """Pause it: it is held at its next call."""
        self._local.world.pause(self._root)

    def resume(self) -> None:
        """Let it go on."""
        self._local.world.resume(self._root)

    def result(self) -> Result:
        """Wait for its end, and return what became of it.

        Raises:
            NothingHappens: All that runs waits for what will never come.
        """
        result = self._local.wait(self._root)
        self._runs.append(result)
        return result


class TestFlows:
    """Flows of one test, and all that they meet.

    Attributes:
        connections: What connections come to.
        answers: What messages are answered, by subject (`*`: any other): the values of the form, a
            text where one text is asked for, a function of the message; None, or nothing: never.
        settings, schemas: Values by name, before and after a run.
        files: Contents by name, before and after a run.
        environment: What `system.get_env_name()` returns.
    """

    __test__ = False  # no test, whatever pytest thinks of its name

    def __init__(self, root: Path, *, beside: Path, record: Record) -> None:
        self._root = root
        self._beside = beside
        self._people = ScriptedPeople()
        self.connections = TestConnections(beside, record)
        self.answers: dict[str, Reply] = self._people.answers
        self._local = Local(
            Flows(), connections=self.connections.source(), people=self._people, skip_time=True
        )
        now = self._local.world.clock.now
        store = self._local.services.store
        self.settings = Values(store.settings, now)
        self.schemas = Values(store.schemas, now)
        self.files = Files(store, now)
        self._runs: list[Result] = []

    @property
    def messages(self) -> list[Question]:
        """The messages that were sent, with their responses."""
        return self._people.messages

    @property
    def skip_time(self) -> bool:
        """Whether sleeps and waits pass at once; set it to False to live through them."""
        return self._local.world.clock.skips

    @skip_time.setter
    def skip_time(self, skips: bool) -> None:
        self._local.world.clock.skips = skips

    # What there is

    @overload
    def add(self, name: str, source: Source, /, **fields: Any) -> Flow: ...

    @overload
    def add(self, source: Source, /, **fields: Any) -> Flow: ...

    def add(self, name: Any, source: Any = None, /, **fields: Any) -> Flow:
        """Add a flow, and return it.

        Parameters:
            name: What scripts call it; it may be left out for a file or a function.
            source: A file, relative to the test's folder or pytest's root; the text of a script; a
                function `handler(system, this)`.
            fields: Further fields of the Flow: timeout, allow, input_schema, output_schema, title.

        Raises:
            LocalError: There is no such file.
        """
        if source is None:
            name, source = None, name
        made = flow(self._found(source), name)
        known = Flow.__dataclass_fields__
        for key in fields:
            if key not in known:
                raise TypeError(f"a Flow has no field {key!r} here; it has {', '.join(known)}")
        made = Flow(**{**vars(made), **fields})
        self._local.flows.add(made)
        return made

    def add_folder(self, folder: str | Path) -> None:
        """Add every `*.py` file of a folder, each called as its file; flows that are there stay.

        Parameters:
            folder: Relative to the test's folder or pytest's root.

        Raises:
            LocalError: There is no such folder.
        """
        self._local.flows.add_folder(self._existing(Path(folder)))

    def flow(self, name: str) -> Callable[[Handler], Handler]:
        """Make the function below a flow of that name.

        Parameters:
            name: What scripts call it.
        """

        def decorate(handler: Handler) -> Handler:
            self.add(name, handler)
            return handler

        return decorate

    def stub(self, name: str, *ends: Mapping[str, Any] | BaseException | None) -> Stub:
        """Let a flow of that name end in some way, whatever its own script would do.

        Parameters:
            name: What scripts call it.
            ends: How it ends, one for each run, the last one for all that follow: its outputs, or
                the exception that its script raises. None: a success without outputs.
        """
        stub = Stub(ends or (None,))
        self.add(name, stub.handler())
        return stub

    # Running

    def run(
        self, target: Source | Flow, inputs: Mapping[str, Any] | None = None, /, **more_inputs: Any
    ) -> Result:
        """Run a flow, wait until it and all that it started has ended, and return what became of
        it. A failed run raises nothing here.

        Parameters:
            target: The name of a flow; a file; the text of a script; a function.
            inputs: Its inputs.
            more_inputs: Further inputs, by keyword.

        Raises:
            LocalError: There is no such flow.
            NothingHappens: All that runs waits for what will never come, such as an answer.
        """
        return self.start(target, inputs, **more_inputs).result()

    def start(
        self, target: Source | Flow, inputs: Mapping[str, Any] | None = None, /, **more_inputs: Any
    ) -> Started:
        """Start a flow without waiting: to cancel it, to pause it, to look at it meanwhile.

        The parameters and what is raised are those of `run`.
        """
        given = {**(inputs or {}), **more_inputs}
        if not isinstance(target, Flow) and self._local.flows.find(str(target)) is None:
            target = self._found(target)
        root = self._local.start(target, given)
        return _Remembering(self._local, root, self._runs)

    def told(self) -> Iterator[tuple[str, str]]:
        """Yield each run for people, with a title."""
        for run in self._runs:
            yield f"flow {run.title}", told(run)

    def close(self) -> None:
        """Cancel what still runs, write what was recorded. The fixture does it after the test."""
        self._local.close()
        self.connections.close()

    def _found(self, source: Source) -> Source:
        """Return the source, a path among them made whole."""
        is_text = isinstance(source, str) and "\n" in source
        if is_text or not isinstance(source, str | Path):
            return source
        if isinstance(source, str) and not source.endswith(".py"):
            return source
        return self._existing(Path(source))

    def _existing(self, path: Path) -> Path:
        for folder in (self._beside, self._root):
            if (folder / path).exists():
                return folder / path
        return path


class _Remembering(Started):
    """Keeps what became of a run that came to a standstill, too."""

    def result(self) -> Result:
        try:
            return super().result()
        except NothingHappens as error:
            if error.result is not None:
                self._runs.append(error.result)
            raise


class Stub:
    """A flow that ends as a test says.

    Attributes:
        calls: The inputs of each run, in the order of the runs.
    """

    def __init__(self, ends: tuple[Mapping[str, Any] | BaseException | None, ...]) -> None:
        self.calls: list[dict[str, Any]] = []
        self._ends = ends

    def handler(self) -> Callable[[System, Execution, dict[str, Any]], Any]:
        """Return the function that is run."""

        def stub(system: System, this: Execution, inputs: dict[str, Any]) -> Any:
            self.calls.append(inputs)
            end = self._ends[min(len(self.calls), len(self._ends)) - 1]
            if isinstance(end, BaseException):
                raise end
            return None if end is None else dict(end)

        return stub
