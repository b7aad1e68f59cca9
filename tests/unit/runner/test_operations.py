"""The way of an operation to the server and of its answer to the script."""

import pytest

from tests.unit.runner.fakes import (
    FakeDeparture,
    FakeServer,
    Left,
    assignment,
    end_of,
    new_interrupts,
    refusing,
)
from weir_protocol import encode
from weir_protocol.arguments import (
    ChildArguments,
    WaitArguments,
)
from weir_runner.session import Run, ask_for_work
from weir_runner.transport import Refused, ServerLost


class Slow(FakeServer):
    """Answers `pending` so many times first."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def post(self, path: str, message: object) -> dict[str, object] | None:
        answer = super().post(path, message)
        if path == "operations" and self.times:
            self.times -= 1
            return {"state": "pending"}
        return answer


def test_operations_are_numbered_in_program_order_and_name_their_line() -> None:
    server = FakeServer()
    end_of("this.flow('greet', n=1)\nif True:\n    this.save(message='m')", server=server)
    assert [(number, op.kind, op.line, op.attempt) for number, op in server.operations.items()] == [
        (1, "child", 2, 1),
        (2, "wait", 2, 1),
        (3, "save", 4, 1),
    ]
    assert server.operations[1].arguments == encode(ChildArguments(flow="greet", inputs={"n": 1}))
    assert server.operations[2].arguments == encode(WaitArguments(uids=["child-1"]))


def test_a_pending_operation_is_asked_again_under_its_number() -> None:
    server = Slow(3)
    assert end_of("this.save(message='m')", server=server).status == "success"
    assert server.posted == ["operations"] * 4 + ["end"]
    assert list(server.operations) == [1]


def test_a_resumed_run_asks_the_same_and_is_answered_from_the_record() -> None:
    server = FakeServer()
    body = "this.flow('greet', n=1); this.log('x'); return this.flow('greet').get('output_value')"
    first = end_of(body, server=server)
    asked = {number: op.arguments for number, op in server.operations.items()}
    server.ends.clear()
    again = end_of(body, server=server, attempt=2, resumed=True)
    assert {number: op.arguments for number, op in server.operations.items()} == asked
    assert [op.attempt for op in server.operations.values()] == [2] * len(asked)
    assert again.outputs == first.outputs
    assert len(server.backend.children) == 2


@pytest.mark.parametrize("code", ["Fenced", "Ended", "Diverged"])
@pytest.mark.parametrize("status", [403, 409])
def test_a_runner_that_is_not_wanted_leaves_at_its_next_operation(status: int, code: str) -> None:
    departure = FakeDeparture()
    server = FakeServer(refusing("operations", Refused(status, code, "why")))
    work = assignment("def handler(system, this): this.save(message='m')")
    run = Run(work, server, departure, new_interrupts())
    with pytest.raises(Left):
        run.do()
    assert departure.codes[0] == 0
    assert departure.said == [f"the server refused: why ({status} {code})"]


def test_another_refusal_is_an_internal_error_that_the_script_may_catch() -> None:
    server = FakeServer(refusing("operations", Refused(400, "InvalidRequest", "no title")))
    end = end_of(
        """
        try:
            this.save(message='m')
        except Exception as error:
            this.success(repr(error))
        """,
        server=server,
    )
    assert end.message == (
        "InternalError(\"the server refused 'save': no title (400 InvalidRequest)\")"
    )


def test_a_refused_operation_leaves_its_number_to_the_next() -> None:
    # A number without a record would look like a lost one when the run is resumed.
    server = FakeServer(refusing("operations", Refused(413, "TooLarge", "no")))
    end_of(
        """
        try:
            this.flow('greet', text='x', wait=False)
        except Exception:
            this.save(message='smaller')
        """,
        server=server,
    )
    assert [(number, op.kind) for number, op in server.operations.items()] == [(1, "save")]


def test_an_answer_that_is_not_understood_is_an_internal_error() -> None:
    class Odd(FakeServer):
        def post(self, path: str, message: object) -> dict[str, object] | None:
            return {} if path == "operations" else super().post(path, message)

    end = end_of("this.save(message='m')", server=Odd())
    assert end.message is not None
    assert end.message.startswith("InternalError: the answer to 'save' is not understood")


def test_a_call_in_the_midst_of_another_is_refused() -> None:
    class Nosy(FakeServer):
        def post(self, path: str, message: object) -> dict[str, object] | None:
            if path == "operations" and not self.operations:
                self.operations[0] = message  # type: ignore[assignment]
                import sys

                sys.modules["flow_script"].this.save(message="inner")
            return super().post(path, message)

    end = end_of("globals()['this'] = this\nthis.save(message='outer')", server=Nosy())
    assert end.message is not None
    assert "'save' was asked for in the midst of another call" in end.message


def test_work_is_asked_for_until_there_is_some() -> None:
    class Idle(FakeServer):
        idle = 3

        def post(self, path: str, message: object) -> dict[str, object] | None:
            self.posted.append(path)
            if len(self.posted) <= self.idle:
                return None
            return {
                "namespace": "demo",
                "execution": {
                    "uid": "u",
                    "name": "n",
                    "title": "t",
                    "type": "FLOW",
                    "status": "RUNNING",
                    "phase": "Starting",
                },
                "try_number": 1,
                "attempt": 1,
            }

    times = iter([0, 20, 20, 20, 20, 40, 40])
    slept: list[float] = []
    found = ask_for_work(Idle(), FakeDeparture(), clock=lambda: next(times), sleep=slept.append)
    assert found.execution.uid == "u"
    assert slept == [0.5]  # only after the poll that was answered at once


@pytest.mark.parametrize(
    ("error", "code"),
    [
        pytest.param(Refused(403, "Forbidden", "no label"), 0, id="leaves when it is not wanted"),
        pytest.param(Refused(400, "InvalidRequest", "?"), 1, id="fails when not understood"),
        pytest.param(ServerLost("no server"), 75, id="is lost without a server"),
    ],
)
def test_a_runner_without_work(error: Exception, code: int) -> None:
    def refuse(_path: str, _message: object) -> None:
        raise error

    with pytest.raises(Left) as left:
        ask_for_work(FakeServer(refuse), FakeDeparture())
    assert left.value.code == code


class Hibernating(FakeServer):
    """Takes the Pod of a run that waits."""

    def post(self, path: str, message: object) -> dict[str, object] | None:
        answer = super().post(path, message)
        if path == "operations" and list(self.operations.values())[-1].kind == "wait":
            return {"state": "hibernate"}
        return answer


def test_a_run_that_hibernates_leaves_at_once() -> None:
    server, departure = Hibernating(), FakeDeparture()
    body = """
        try:
            this.log('before')
            this.flow('greet')
        except Exception:
            this.log('caught')
    """
    end_of(body, server=server, departure=departure)
    assert departure.codes[0] == 0  # in a Pod nothing comes after this
    assert list(server.operations) == [1, 2]
    assert server.texts("log") == ["before"]
    assert departure.said == ["the run gives this Pod back while it waits"]


def test_an_operation_says_whether_the_scripts_first_thread_asks() -> None:
    server = FakeServer()
    body = """
        import threading
        this.save(message='by the first')
        other = threading.Thread(target=lambda: this.save(message='by another'))
        other.start()
        other.join()
        this.save(message='by the first again')
    """
    end_of(body, server=server)
    assert [asked.thread for asked in server.operations.values()] == [False, True, False]
