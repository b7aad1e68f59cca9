"""A run that is told to stop: by whom it learns, where it may be interrupted, how it ends."""

import signal
import sys
import threading
from types import FrameType
from typing import Any

import pytest

from flow_api import ExecutionCancel
from tests.unit.runner.fakes import (
    FakeDeparture,
    FakeServer,
    Left,
    assignment,
    new_interrupts,
)
from weir_connectors import errors, registry
from weir_protocol import Ask, Connection
from weir_runner import control, ends
from weir_runner.control import Watch
from weir_runner.ends import Outcome
from weir_runner.interrupts import Interrupts, interruptible, may_interrupt
from weir_runner.session import Run
from weir_runner.transport import Refused, ServerLost


class News(FakeServer):
    """Has an answer for each control request in turn, or raises it."""

    def __init__(self, *news: str | Exception | None) -> None:
        super().__init__()
        self.news = list(news)

    def post(self, path: str, message: object) -> dict[str, Any] | None:
        if path != "control":
            return super().post(path, message)
        assert message == Ask(uid="u", attempt=1)
        new = self.news.pop(0)
        if isinstance(new, Exception):
            raise new
        return None if new is None else {"stop": new}


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for pause in ("START_AFTER", "PAUSE", "INSIST"):
        monkeypatch.setattr(control, pause, 0)


def watch(
    server: FakeServer, told: list[bool], departure: FakeDeparture | None = None
) -> tuple[Watch, list[str]]:
    started: list[str] = []
    return Watch(
        lambda: server,
        Ask(uid="u", attempt=1),
        departure or FakeDeparture(),
        lambda: told.pop(0),
        lambda: started.append("sender"),
    ), started


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize("stop", ["Cancelled", "TimedOut"])
def test_the_watch_insists_until_the_main_thread_has_been_told(stop: str) -> None:
    told = [False, False, True]
    seen, started = watch(News(None, None, stop), told)
    seen.run()
    assert (seen.stop, told, started) == (stop, [], ["sender"])


@pytest.mark.usefixtures("no_pauses")
def test_the_watch_ends_with_the_run_and_opens_no_connection() -> None:
    seen, started = watch(News(), [])
    seen.end()
    seen.run()
    assert (seen.stop, started) == (None, [])


@pytest.mark.usefixtures("no_pauses")
@pytest.mark.parametrize(
    ("news", "code"),
    [
        pytest.param("Gone", 0, id="it is another's now"),
        pytest.param(Refused(409, "Fenced", "stale"), 0, id="its attempt is stale"),
        pytest.param(Refused(409, "Ended", "over"), 0, id="it has ended"),
        pytest.param(ServerLost("no server"), 75, id="the server is lost"),
    ],
)
def test_the_runner_leaves_when(news: str | Exception, code: int) -> None:
    seen, _ = watch(News(news), [])
    with pytest.raises(Left) as left:
        seen.run()
    assert left.value.code == code


@pytest.mark.usefixtures("no_pauses")
def test_a_refusal_of_another_kind_is_no_news() -> None:
    seen, _ = watch(News(Refused(400, "InvalidRequest", "?"), "Cancelled"), [True])
    seen.run()
    assert seen.stop == "Cancelled"


SCRIPT = """
    seen = []

    def handler(system, this):
        try:
            try:
                stop()
            except Exception:
                seen.append('caught')
        finally:
            this.set_output('cleaned', True)
            this.log('cleaning')
            {cleaning}
    """


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("Cancelled", ("cancelled", "Cancelled", "cancelled on request")),
        ("TimedOut", ("error", "TimedOut", "stopped: it ran longer than its timeout allows")),
    ],
)
@pytest.mark.parametrize(
    "cleaning",
    [
        pytest.param("pass", id="which cleans up"),
        pytest.param("raise ValueError('in finally')", id="which fails to clean up"),
        pytest.param("this.success('no')", id="which wants to end well"),
        pytest.param("return", id="which swallows it"),
    ],
)
def test_a_stopped_script(
    stop: Any, expected: tuple[str, str, str], cleaning: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = FakeServer()
    interrupts = new_interrupts()
    work = assignment(SCRIPT.format(cleaning=cleaning))
    run = Run(work, server, FakeDeparture(), interrupts)

    def interrupt() -> None:
        run._watch.stop = stop
        interrupts._interrupt(0, _frame_of_the_script())

    monkeypatch.setattr("builtins.stop", interrupt, raising=False)
    with pytest.raises(Left):
        run.do()
    end = server.end
    assert (end.status, end.reason, end.message) == expected
    assert end.outputs == {"cleaned": True}
    assert server.texts("log") == ["cleaning"]
    assert sys.modules["flow_script"].seen == []


def _frame_of_the_script() -> FrameType:
    frame: FrameType | None = sys._getframe()
    while frame is not None and frame.f_code.co_filename != "script.py":
        frame = frame.f_back
    assert frame is not None
    return frame


def test_a_run_that_ended_before_it_was_told_keeps_its_own_end() -> None:
    server = FakeServer()
    run = Run(
        assignment("def handler(system, this): this.success('mine')"),
        server,
        FakeDeparture(),
        new_interrupts(),
    )
    run._watch.stop = "Cancelled"
    with pytest.raises(Left):
        run.do()
    assert (server.end.status, server.end.message) == ("success", "mine")


def test_the_traceback_of_a_failed_clean_up_is_kept() -> None:
    reached = Outcome("error", "ScriptError", "ValueError: x", log="Traceback")
    assert ends.of_stop("Cancelled", reached).log == "Traceback"


def test_an_interrupt_is_raised_once_and_only_while_the_script_runs() -> None:
    interrupts = new_interrupts()
    frame = _marked()
    interrupts._interrupt(0, frame)
    interrupts.armed = True
    with pytest.raises(ExecutionCancel, match="cancelled on request"):
        interrupts._interrupt(0, frame)
    interrupts._interrupt(0, frame)


@interruptible
def _marked() -> FrameType:
    return sys._getframe()


def _plain() -> FrameType:
    return sys._getframe()


def _ours(name: str) -> FrameType:
    """Return a frame of code that lies in a file of the runner's."""
    import weir_runner.capture

    made: dict[str, Any] = {"sys": sys}
    source = f"def {name}(call=sys._getframe):\n    return call()\n"
    exec(compile(source, weir_runner.capture.__file__, "exec"), made)
    frame: FrameType = made[name]()
    return frame


def test_the_innermost_function_of_ours_decides() -> None:
    assert may_interrupt(_marked())
    assert not may_interrupt(_ours("write"))
    assert not may_interrupt(_plain())  # no function of ours: not the script's thread of calls
    assert not may_interrupt(None)


def test_a_termination_leaves_at_once_unless_the_run_is_cleaning_up() -> None:
    departure = FakeDeparture()
    interrupts = Interrupts(lambda: ExecutionCancel(), departure.leave)
    with pytest.raises(Left) as left:
        interrupts._terminate(signal.SIGTERM, None)
    assert left.value.code == 128 + signal.SIGTERM
    interrupts.raised = True
    interrupts._terminate(signal.SIGTERM, None)


@pytest.mark.parametrize(
    ("stop", "expected"),
    [
        ("Cancelled", ("cancelled", "Cancelled", "cancelled on request")),
        ("TimedOut", ("error", "TimedOut", "stopped: it ran longer than its timeout allows")),
    ],
)
def test_a_connection_is_asked_to_stop_by_its_own_look(
    stop: Any, expected: tuple[str, str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Patient:
        def run(self, _inputs: object, context: Any) -> dict[str, Any]:
            assert not context.cancelled()
            run._watch.stop = stop
            if context.cancelled():
                raise errors.ConnectionCancelled("given up")
            return {}

    server = FakeServer()
    work = assignment(connection=Connection(type="FAKE", inputs={}))
    run = Run(work, server, FakeDeparture(), new_interrupts())
    monkeypatch.setattr(registry, "load", lambda _name: Patient())
    with pytest.raises(Left):
        run.do()
    assert (server.end.status, server.end.reason, server.end.message) == expected


def test_no_thread_is_left_behind_by_a_short_run() -> None:
    before = threading.active_count()
    with pytest.raises(Left):
        Run(
            assignment("def handler(system, this): pass"),
            FakeServer(),
            FakeDeparture(),
            new_interrupts(),
        ).do()
    for thread in threading.enumerate():
        if thread.name == "weir-watch":
            thread.join()
    assert threading.active_count() <= before
