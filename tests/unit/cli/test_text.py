"""Text for people: safe, in columns, with times of their zone."""

import io
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from tests.unit.cli.fake import NOW, execution
from weir.api.execution import Execution
from weir.cli.server import Entry
from weir.cli.terminal import Terminal, cut, one_line, pad, safe, width_of
from weir.cli.times import age, clock, duration
from weir.cli.transcript import render

VIENNA = timezone(timedelta(hours=1), "CET")


class Screen(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("plain", "plain", id="plain text stays"),
        pytest.param("a\tb\nc", "a\tb\nc", id="tabs and line breaks stay"),
        pytest.param("\x1b[31mred\x1b[0m", "red", id="colours go"),
        pytest.param("\x1b]0;title\x07x", "x", id="the window's title is not set"),
        pytest.param("a\rb\x08\x7f", "ab", id="nothing is written over"),
        pytest.param("\x9b2J", "2J", id="the one-byte escape goes as well"),
    ],
)
def test_a_scripts_text_cannot_steer_the_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_wide_characters_count_twice_and_combining_ones_not() -> None:
    assert width_of("日本") == 4
    assert width_of("e\u0301") == 1
    assert pad("日", 4) == "日  "
    assert cut("日本語", 5) == "日本…"
    assert cut("short", 5) == "short"


def test_lines_become_one() -> None:
    assert one_line("a\n  b\tc") == "a b c"


@pytest.mark.parametrize(
    ("stream", "environment", "colours"),
    [
        pytest.param(Screen(), {}, True, id="a terminal has colours"),
        pytest.param(Screen(), {"NO_COLOR": "1"}, False, id="unless NO_COLOR is set"),
        pytest.param(Screen(), {"NO_COLOR": ""}, True, id="to something"),
        pytest.param(Screen(), {"TERM": "dumb"}, False, id="or the terminal is dumb"),
        pytest.param(io.StringIO(), {}, False, id="a pipe has none"),
    ],
)
def test_colours_are_for_terminals(
    stream: io.StringIO, environment: dict[str, str], colours: bool
) -> None:
    terminal = Terminal.of(stream, environment)
    assert terminal.colours is colours
    assert terminal.paint("x", "red") == ("\x1b[31mx\x1b[0m" if colours else "x")


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (130, "2m10s"),
        (600, "10m"),
        (3 * 3600, "3h"),
        (4 * 3600 + 300, "4h5m"),
        (30 * 3600, "30h"),
        (50 * 3600, "2d2h"),
        (20 * 86400, "20d"),
        (-5, "0s"),
    ],
)
def test_ages_are_as_kubectl_prints_them(seconds: int, shown: str) -> None:
    assert age(timedelta(seconds=seconds)) == shown


def test_moments_are_local_and_name_their_zone() -> None:
    assert clock(NOW, NOW, VIENNA) == "13:05:00 CET"
    assert clock(NOW - timedelta(days=1), NOW, VIENNA) == "2026-01-04 13:05:00 CET"


@pytest.mark.parametrize(
    ("status", "shown"),
    [
        pytest.param({}, "", id="none before the start"),
        pytest.param({"startTime": "2026-01-05T12:03:30Z"}, "1m30s", id="so far"),
        pytest.param({"duration": "2.5s"}, "2.5s", id="as written at the end"),
    ],
)
def test_a_run_takes(status: dict[str, Any], shown: str) -> None:
    _, item = execution("a", "Running", **status)
    assert duration(Execution.model_validate(item), NOW) == shown


def entry(text: str, **more: object) -> Entry:
    facts = {"cursor": 1, "time": NOW, "stream": "log", "text": text} | more
    return Entry(**facts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("line", "options", "shown"),
    [
        pytest.param(entry("hello"), {}, "hello", id="a text"),
        pytest.param(entry("rows", data={"n": 3}), {}, 'rows {"n": 3}', id="with values"),
        pytest.param(entry("", data={"n": 3}), {}, '{"n": 3}', id="values alone"),
        pytest.param(
            entry("a\nb\n"),
            {"timestamps": True, "who": "leaf-1", "zone": VIENNA},
            "13:05:00 CET  leaf-1  a\n13:05:00 CET  leaf-1  b",
            id="each line says when and who",
        ),
        pytest.param(
            entry("again", try_number=2),
            {"who": "leaf-1"},
            "leaf-1  try 2  again",
            id="a later try",
        ),
        pytest.param(entry("\x1b[2Jgone"), {}, "gone", id="without control characters"),
    ],
)
def test_log_entries(line: Entry, options: dict[str, object], shown: str) -> None:
    assert render(line, now=NOW, terminal=Terminal(), **options) == shown  # type: ignore[arg-type]


def test_a_traceback_is_red_on_a_terminal() -> None:
    shown = render(entry("boom", stream="traceback"), now=NOW, terminal=Terminal(colours=True))
    assert shown == "\x1b[31mboom\x1b[0m"


def test_the_zone_is_that_of_the_machine_by_default() -> None:
    assert clock(NOW, NOW) == NOW.astimezone().strftime("%H:%M:%S %Z")
    assert isinstance(datetime.now().astimezone().tzname(), str)
