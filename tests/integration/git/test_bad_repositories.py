"""The table of bad repositories, with each of them in a real Git repository."""

import subprocess
from pathlib import Path

import pytest

from tests.repositories.cases import Case, load
from tests.repositories.outcomes import differences, outcome_of
from weir.api.repository import GitRef
from weir.core.sources import kind_of
from weir.git.credentials import NONE
from weir.git.fetching import Clone

CASES = load()
_LARGEST = 64 * 1024 * 1024


def commit_of(number: int, case: Case) -> bytes:
    """Return a case as a branch for `git fast-import`."""
    files = [("100644", path, content) for path, content in case.files.items()]
    files += [("120000", path, target.encode()) for path, target in case.links.items()]
    lines = [
        f"commit refs/heads/case-{number}\ncommitter A <a@example.com> 0 +0000\ndata 0\n".encode()
    ]
    for mode, path, content in files:
        lines.append(f'M {mode} inline "{path}"\ndata {len(content)}\n'.encode() + content + b"\n")
    return b"".join(lines) + b"\n"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with a branch for each case."""
    folder = tmp_path_factory.mktemp("origin")
    subprocess.run(["git", "init", "-q", "--bare", str(folder)], check=True)
    subprocess.run(
        ["git", "-C", str(folder), "fast-import", "--quiet"],
        input=b"".join(commit_of(*one) for one in enumerate(CASES)),
        check=True,
    )
    return folder


@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.name for case in CASES])
def test_a_bad_repository_gets_what_the_table_says(
    number: int, origin: Path, tmp_path: Path
) -> None:
    case, clone = CASES[number], Clone(tmp_path / "clone")
    commit = clone.fetch(
        f"file://{origin}",
        GitRef(branch=f"case-{number}"),
        NONE,
        timeout=60,
        max_bytes=_LARGEST,
        allow_local=True,
    )
    spec = case.repository_spec()
    files = list(clone.files(commit.sha, lambda path: kind_of(path, spec) is not None))
    assert differences(case, outcome_of(case, files)) == []
