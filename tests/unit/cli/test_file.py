"""`weir file`: what is sent to the server, and what is printed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.unit.cli.fake import FakeCluster, weir
from weir.api.resource import JsonObject
from weir.cli import server as servers
from weir.cli.session import Session


class FakeServer:
    """Keeps files."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {"report.txt": b"all well\n", "a\x1b[31m.bin": b"x" * 1200}

    async def files(self, namespace: str) -> list[JsonObject]:
        modified = "2026-11-24T12:00:00Z"
        return [
            {"name": name, "bytes": len(content), "modified": modified}
            for name, content in sorted(self.kept.items())
        ]

    async def file(self, namespace: str, name: str) -> bytes:
        return self.kept[name]

    async def put_file(self, namespace: str, name: str, content: bytes) -> None:
        self.kept[name] = content

    async def delete_file(self, namespace: str, name: str) -> None:
        del self.kept[name]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    fake = FakeServer()

    @asynccontextmanager
    async def reached(session: Session) -> AsyncIterator[FakeServer]:
        yield fake

    monkeypatch.setattr(servers, "reached", reached)
    return fake


def test_a_file_is_put_under_its_own_name_or_another(server: FakeServer, tmp_path: Path) -> None:
    (tmp_path / "elements.csv").write_bytes(b"\x00\xff")
    result = weir(FakeCluster(), "file", "put", str(tmp_path / "elements.csv"))
    assert result.stdout == "file/elements.csv stored, 2 bytes\n"
    weir(FakeCluster(), "file", "put", str(tmp_path / "elements.csv"), "data/elements")
    weir(FakeCluster(), "file", "put", "-", "said", stdin="piped")
    assert server.kept["elements.csv"] == server.kept["data/elements"] == b"\x00\xff"
    assert server.kept["said"] == b"piped"


def test_what_comes_through_a_pipe_needs_a_name(server: FakeServer) -> None:
    result = weir(FakeCluster(), "file", "put", "-", stdin="piped")
    assert result.exit_code == 2
    assert "weir file put - NAME" in result.stderr


def test_a_file_that_is_not_here_is_said(server: FakeServer, tmp_path: Path) -> None:
    result = weir(FakeCluster(), "file", "put", str(tmp_path / "missing"))
    assert result.exit_code == 2
    assert "cannot read" in result.stderr
    result = weir(FakeCluster(), "file", "get", "report.txt", "-o", str(tmp_path / "no" / "where"))
    assert "cannot write" in result.stderr


def test_a_file_is_printed_or_written(server: FakeServer, tmp_path: Path) -> None:
    assert weir(FakeCluster(), "file", "get", "report.txt").stdout == "all well\n"
    weir(FakeCluster(), "file", "get", "report.txt", "--output", str(tmp_path / "copy"))
    assert (tmp_path / "copy").read_bytes() == b"all well\n"


def test_files_are_listed_and_their_names_do_nothing_to_the_terminal(server: FakeServer) -> None:
    first, second = weir(FakeCluster(), "file", "ls").stdout.splitlines()
    assert first.startswith("1200  2026-11-24 ")
    assert "\x1b" not in first
    assert second.startswith("   9  ")
    assert second.endswith("  report.txt")
    server.kept.clear()
    assert weir(FakeCluster(), "file", "ls").stdout == ""


def test_a_file_is_removed(server: FakeServer) -> None:
    assert weir(FakeCluster(), "file", "rm", "report.txt").stdout == "file/report.txt removed\n"
    assert "report.txt" not in server.kept
