"""What a script logs and prints: its keys, its limits, its way to the server."""

import sys
import threading
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runner.fakes import FakeServer, end_of, refusing
from weir_protocol import LogLine
from weir_runner.capture import LogStreamWriter
from weir_runner.journal import Journal
from weir_runner.logbook import HIGH_WATER, LINE_COST, MAX_LINE, LogBook
from weir_runner.transport import Refused


def logs_of(body: str, **fields: Any) -> FakeServer:
    server = FakeServer()
    end_of(body, server=server, **fields)
    return server


def book(limit: int = 10**9, **options: Any) -> LogBook:
    return LogBook(Journal(), limit, **options)


def all_of(book: LogBook) -> list[LogLine]:
    lines: list[LogLine] = []
    while taken := book.take():
        lines += taken
    return lines


def writer(book: LogBook) -> LogStreamWriter:
    return LogStreamWriter(book, "stdout", threading.RLock(), 1)


def test_an_entry_is_keyed_by_the_operation_before_it_and_its_index() -> None:
    server = logs_of(
        """
        this.log('a')
        print('b')
        this.save(message='m')
        this.log('c')
        this.flow('greet')
        this.log('d', n=1)
        """
    )
    assert [(line.after, line.index, line.text) for line in server.logs] == [
        (0, 0, "a"),
        (0, 1, "b"),
        (1, 0, "c"),
        (3, 0, "d"),
    ]
    assert server.logs[-1].data == {"n": 1}


def test_entries_travel_with_the_next_request() -> None:
    server = logs_of("this.log('a'); this.save(message='m'); this.log('b')")
    assert server.posted == ["operations", "end"]
    assert [line.text for line in server.operations[1].logs] == ["a"]
    assert [line.text for line in server.end.logs] == ["b"]


def test_a_rerun_gives_the_same_keys() -> None:
    body = "for i in range(5):\n    print(i)\n    this.log(i, n=i)\n    this.save(message=str(i))"
    first, again = (logs_of(body) for _ in "ab")
    assert first.keys() == again.keys()
    assert len(set(first.keys())) == 10


PRINTS = {
    "a line": ("print('a')", ["a"]),
    "several lines at once": ("print('a\\nb\\n')", ["a", "b", ""]),
    "a line in parts": ("print('a', end=''); print('b', end=''); print('c')", ["abc"]),
    "a line that does not end": ("print('a', end='')", ["a"]),
    "nothing": ("print(end='')", []),
    "bytes": ("import sys; sys.stdout.buffer.write('ä\\n'.encode())", ["ä"]),
    "a character whose bytes come one by one": (
        "import sys\nfor byte in 'ä€\\n'.encode(): sys.stdout.buffer.write(bytes([byte]))",
        ["ä€"],
    ),
    "a character that does not end": (
        "import sys; sys.stdout.buffer.write('ab€'.encode()[:-1])",
        ["ab\ufffd"],
    ),
    "what is no Unicode": ("print('\\udc80')", ["?"]),
    "text to a flushed and closed stream": (
        "import sys; print('a', flush=True); sys.stdout.close(); print('b')",
        ["a", "b"],
    ),
    "text through a kept stream": (
        "import sys, io\nsys.stdout.reconfigure(line_buffering=True)\nsys.stdout.write('a\\n')",
        ["a"],
    ),
    "a long line in pieces": (
        f"print('x' * {MAX_LINE + 5})",
        ["x" * MAX_LINE, "x" * 5],
    ),
    "a line that is long in the end": (
        f"for _ in range(3): print('x' * {MAX_LINE // 2}, end='')\nprint('y')",
        ["x" * MAX_LINE, "x" * (MAX_LINE // 2) + "y"],
    ),
}


@pytest.mark.parametrize(("body", "lines"), PRINTS.values(), ids=PRINTS.keys())
def test_a_script_prints(body: str, lines: list[str]) -> None:
    assert logs_of(body).texts("stdout") == lines


def test_stderr_is_a_stream_of_its_own() -> None:
    server = logs_of("import sys; print('a', file=sys.stderr); print('b')")
    assert (server.texts("stderr"), server.texts("stdout")) == (["a"], ["b"])


def test_the_streams_are_put_back_after_the_run() -> None:
    before = sys.stdout, sys.stderr
    logs_of("raise ValueError")
    assert (sys.stdout, sys.stderr) == before


def test_only_texts_are_written() -> None:
    assert "write() takes a text, not bytes" in str(
        end_of("import sys; sys.stdout.write(b'x')").message
    )


def test_a_subprocess_is_given_the_pods_own_stream() -> None:
    end = end_of("import sys; return {'n': [sys.stdout.fileno(), sys.stderr.fileno()]}")
    assert end.outputs == {"n": [1, 2]}


@pytest.mark.parametrize("cut", [1, 7, MAX_LINE, 3 * MAX_LINE])
def test_the_lines_do_not_depend_on_how_a_text_is_written(cut: int) -> None:
    text = "a\n" + "b" * (2 * MAX_LINE) + "\n" + "c" * 10 if cut > 7 else "a\nbb\n\nccc" * 9
    written = book()
    stream = writer(written)
    for start in range(0, len(text), cut):
        stream.write(text[start : start + cut])
    stream.end_line()
    joined = "".join(line.text for line in all_of(written))
    assert joined == text.replace("\n", "")


def test_the_limit_is_said_once_and_tracebacks_are_kept() -> None:
    server = logs_of(
        "for i in range(9): print('x' * 68)\nthis.log('more')\nraise ValueError", log_limit=300
    )
    assert server.texts() == [
        "x" * 68,
        "x" * 68,
        "x" * 68,
        "The log has reached its limit of 300 bytes: what follows is not kept.",
        server.texts("traceback")[0],
    ]
    assert server.texts("traceback")[0].endswith("ValueError")


def test_the_limit_counts_bytes_and_lines() -> None:
    limited = book(2 * (LINE_COST + 2))
    limited.add_lines("stdout", ["é", "é", ""])
    assert [line.stream for line in all_of(limited)] == ["stdout", "stdout", "system"]


def test_a_long_entry_loses_its_middle() -> None:
    (text,) = logs_of(f"this.log('a' + 'x' * {2 * MAX_LINE} + 'z')").texts()
    assert len(text) <= MAX_LINE
    assert text.startswith("ax")
    assert text.endswith("xz")
    assert "characters are left out" in text


@pytest.mark.parametrize(
    "lines", [pytest.param(1, id="at once"), pytest.param(10_000, id="line by line")]
)
def test_a_hundred_megabytes_of_prints_stay_flat_in_memory(lines: int) -> None:
    limited = book(4 * HIGH_WATER)
    sent: list[int] = []

    def drain() -> None:
        while limited.is_high:
            sent.append(sum(len(line.text) for line in limited.take()))

    limited.drain = drain
    stream = writer(limited)
    text = ("x" * 99 + "\n") * (1_000_000 // lines)
    tracemalloc.start()
    try:
        for _ in range(lines):
            stream.write(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert limited.full
    assert peak < 6 * HIGH_WATER
    assert HIGH_WATER < sum(sent) < 4 * HIGH_WATER


def test_a_script_that_prints_too_fast_sends_by_itself() -> None:
    server = logs_of("for _ in range(400): print('x' * 10_000)")
    assert len(server.texts("stdout")) == 400
    assert server.posted.count("logs") > 10
    assert server.posted[-1] == "end"
    assert server.keys() == sorted(set(server.keys()))


def test_a_batch_that_the_server_does_not_like_is_lost_and_the_run_goes_on() -> None:
    server = FakeServer(refusing("logs", Refused(413, "TooLarge", "no")))
    end = end_of("for _ in range(200): print('x' * 10_000)", server=server)
    assert end.status == "success"
    assert 100 < len(server.texts("stdout")) < 200


def test_a_last_batch_that_the_server_does_not_like_fails_no_run() -> None:
    server = FakeServer(refusing("logs", Refused(413, "TooLarge", "no")))
    end = end_of("for _ in range(60): print('x' * 10_000)", server=server)
    assert (end.status, server.posted) == ("success", ["logs", "logs", "end"])
    assert server.keys() == sorted(set(server.keys()))
    assert 0 < len(server.logs) < 60


def test_a_refused_operation_takes_no_entries_with_it() -> None:
    server = FakeServer(refusing("operations", Refused(413, "TooLarge", "no")))
    end_of(
        """
        this.log('a')
        try:
            this.save(message='m')
        except Exception:
            this.log('b')
        """,
        server=server,
    )
    assert [(line.after, line.index, line.text) for line in server.logs] == [
        (0, 0, "a"),
        (0, 1, "b"),
    ]


def test_threads_log_and_work_side_by_side_with_unique_keys() -> None:
    server = logs_of(
        """
        import threading
        def work(n):
            for i in range(20):
                print(n, i)
                this.log(n)
                if i % 5 == 0:
                    this.flow('greet', wait=False)
        threads = [threading.Thread(target=work, args=(n,)) for n in range(4)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        """
    )
    assert sorted(server.operations) == list(range(1, 17))
    assert len(server.logs) == len(set(server.keys())) == 160


def test_what_a_thread_does_after_the_end_is_refused() -> None:
    end = end_of(
        """
        import threading
        global late
        late = this
        this.success()
        """
    )
    assert end.status == "success"
    late = sys.modules["flow_script"].late
    with pytest.raises(Exception, match="the run has ended"):
        late.log("x")
    with pytest.raises(Exception, match="the run has ended"):
        late.flow("greet")


FORKS = {
    "that returns": ("pass", 0),
    "that exits": ("import sys; sys.exit(3)", 3),
    "that raises": ("raise ValueError", 1),
    "that logs": ("this.log('child')", 1),
    "that starts a child": ("this.flow('greet')", 1),
    "that prints to the log's stream": ("stream.write('x' * 10**7); os._exit(4)", 4),
    "that ends the run": ("this.success('child')", 1),
}


@pytest.mark.parametrize(("body", "code"), FORKS.values(), ids=FORKS.keys())
def test_the_run_is_not_spoken_for_by_a_forked_process(body: str, code: int) -> None:
    server = logs_of(
        f"""
        import os, sys
        stream = sys.stdout
        this.log('before')
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            this.success(str(os.waitstatus_to_exitcode(status)))
        {body}
        """
    )
    assert (server.end.status, server.end.message) == ("success", str(code))
    assert server.texts() == ["before"]


def test_lines_whose_sending_was_broken_off_come_first_again() -> None:
    kept = book()
    kept.add_lines("stdout", ["a", "b", "c"])
    taken = kept.take(1)
    assert [line.text for line in taken] == ["a"]
    kept.put_back(taken)
    assert [line.text for line in kept.take()] == ["a", "b", "c"]
    assert not kept.something.is_set()


STEPS = st.lists(st.sampled_from(["log", "print", "operation", "send"]), max_size=60)


def _keys(steps: list[str], sends: bool) -> tuple[list[tuple[int, int]], list[int]]:
    journal = Journal()
    log = LogBook(journal, 10**9)
    stream = LogStreamWriter(log, "stdout", journal.lock, 1)
    lines: list[LogLine] = []
    operations: list[int] = []
    for step in steps:
        if step == "log":
            log.add("log", "x")
        elif step == "print":
            stream.write("x\n")
        elif step == "operation":
            operations.append(journal.next_operation())
        elif sends:
            lines += log.take(1)
    return [(line.after, line.index) for line in [*lines, *all_of(log)]], operations


@given(STEPS)
def test_keys_are_unique_and_increase_and_a_rerun_gives_the_same(steps: list[str]) -> None:
    keys, operations = _keys(steps, sends=True)
    assert keys == sorted(set(keys))
    assert operations == list(range(1, len(operations) + 1))
    assert _keys(steps, sends=False) == (keys, operations)
