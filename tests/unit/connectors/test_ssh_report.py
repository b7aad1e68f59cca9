"""What is kept and logged of what a script prints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_connectors import ssh_report
from weir_connectors.ssh_report import Report

MARK = b"\x1eabc"
LINE = MARK + b"\n"


def reported(*pieces: bytes, mark: bytes = MARK, **options: Any) -> tuple[Report, list[str]]:
    log: list[str] = []
    report = Report(mark, log.append, **options)
    for piece in pieces:
        report.feed(piece)
    return report, log


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"greeting\n" + LINE + b"a\nb\n" + LINE, "a\nb\n", id="between the marks"),
        pytest.param(LINE + b"a" + LINE, "a", id="without a line end"),
        pytest.param(LINE + LINE, "", id="nothing"),
        pytest.param(LINE + b"a" + LINE + b"later", "a", id="what comes later is not of it"),
        pytest.param(LINE + b"\x1eab" + LINE, "\x1eab", id="half a mark is none"),
        pytest.param(LINE + b"\xff\xe4" + LINE, "\ufffd\ufffd", id="no UTF-8"),
        pytest.param(LINE + "ä€".encode() + LINE, "ä€", id="UTF-8"),
    ],
)
def test_the_report_is_what_stands_between_the_marks(data: bytes, text: str) -> None:
    report, _ = reported(data)
    assert report.text == text
    assert report.ended


@given(st.lists(st.binary(max_size=40), max_size=5), st.integers(1, 7))
def test_pieces_make_no_difference(parts: list[bytes], size: int) -> None:
    content = b"\x1eab".join(part.replace(MARK, b"") for part in parts).replace(LINE, b"")
    whole = b"hi" + LINE + content + LINE
    pieces = [whole[start : start + size] for start in range(0, len(whole), size)]
    report, _ = reported(*pieces, remove_cr=False, remove_ansi_escapes=False)
    assert report.text == content.decode(errors="replace")
    assert report.ended


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(b"\x1b[1;31mred\x1b[0m", "red", id="colours"),
        pytest.param(b"\x1b]0;title\x07x\x1b]8;;http://h\x1b\\y", "xy", id="title and link"),
        pytest.param(b"\x1bPq#1\x1b\\x\x1b(By\x1b=z", "xyz", id="others"),
        pytest.param(b"10%\r20%\r\nend\r\n", "10%20%\nend\n", id="carriage returns"),
        pytest.param(b"a\tb", "a\tb", id="a tab stays"),
    ],
)
def test_what_only_terminals_understand_is_removed(data: bytes, text: str) -> None:
    report, _ = reported(data, mark=b"")
    assert report.text == text


def test_it_stays_where_it_is_wanted() -> None:
    data = b"\x1b[1mx\r\n"
    kept, _ = reported(data, mark=b"", remove_cr=False, remove_ansi_escapes=False)
    assert kept.text == data.decode()
    assert reported(data, mark=b"", remove_cr=False)[0].text == "x\r\n"
    assert reported(data, mark=b"", remove_ansi_escapes=False)[0].text == "\x1b[1mx\n"


def test_a_line_is_logged_as_soon_as_it_is_whole() -> None:
    report, log = reported(b"noise\n" + LINE + b"\x1b[1mone\x1b[0m\r\ntw")
    assert log == ["one"]
    report.feed("oä\nthree".encode()[:2])
    report.feed("oä\nthree".encode()[2:])
    assert log == ["one", "twoä"]
    report.feed(LINE)
    report.close()
    assert log == ["one", "twoä", "three"]


def test_a_line_that_never_ends_is_logged_in_pieces() -> None:
    _, log = reported(b"x" * 40_000, mark=b"")
    assert [len(line) for line in log] == [16384, 16384]


def test_the_log_has_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_report, "LOG", 2**20)
    report, log = reported(*[b"x" * 1023 + b"\n"] * 2000, mark=b"")
    report.close()
    assert len(log) == 1025
    assert log[-1].startswith("the script prints more than 1 MiB: what follows is not logged")
    assert len(report.text) == 2000 * 1024


def test_of_too_much_the_beginning_and_the_end_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ssh_report, "HEAD", 10)
    monkeypatch.setattr(ssh_report, "TAIL", 5)
    report, _ = reported(*[b"%02d" % number for number in range(50)], mark=b"")
    assert report.left_out == 85
    assert report.text == "0001020304\n[… 85 bytes are left out here …]\n74849"
    assert report.left_out == 85


def test_what_comes_instead_of_a_report_is_kept_as_noise() -> None:
    report, log = reported(b"x" * 10_000, b"This account is not available.\n")
    assert report.noise.endswith(b"This account is not available.\n")
    assert len(report.noise) == 4096
    assert (report.text, log) == ("", [])
    assert reported(LINE + b"x")[0].noise == b""
