"""What is read of a commit, and that nothing of it is ever run or written."""

from __future__ import annotations

import time
from pathlib import Path

from tests.integration.connectors.git_repository import Repository
from tests.integration.git.conftest import contents, fetched, problems
from weir.api.reasons import Reason
from weir.core.sources import SourceFile
from weir.git.fetching import Clone


def test_files_come_sorted_without_those_that_begin_with_a_dot(
    repository: Repository, clone: Clone
) -> None:
    files: dict[str, str | bytes] = {
        "b/two.py": "2",
        "a.py": "1",
        "b/bytes.bin": b"\xff\x00",
        ".gitignore": "x",
        ".github/workflows/ci.yaml": "x",
        "b/.hidden.py": "x",
        "b/naïve name.py": "3",
    }
    repository.commit("Files", files)
    found = contents(clone, fetched(clone, repository.url))
    assert list(found.items()) == [
        ("a.py", b"1"),
        ("b/bytes.bin", b"\xff\x00"),
        ("b/naïve name.py", b"3"),
        ("b/two.py", b"2"),
    ]


def test_only_what_is_wanted_is_read(repository: Repository, clone: Clone) -> None:
    repository.commit("Files", {"a.py": "1", "b.txt": "2"})
    commit = fetched(clone, repository.url)
    assert contents(clone, commit, lambda path: path.endswith(".py")) == {"a.py": b"1"}


def test_symbolic_links_are_followed_within_the_repository_only(
    repository: Repository, clone: Clone
) -> None:
    repository.write("lib/one.py", "1")
    repository.link("inside.py", "lib/one.py")
    repository.link("twice.py", "inside.py")
    repository.link("folder", "lib")
    repository.link("absolute.py", "/etc/passwd")
    repository.link("above.py", "../../etc/passwd")
    repository.link("git.py", ".git/config")
    repository.link("nowhere.py", "missing.py")
    repository.link("loop.py", "loop.py")
    repository.commit("Links")

    commit = fetched(clone, repository.url)

    whole = {path: content for path, content in contents(clone, commit).items() if content}
    assert whole == {"lib/one.py": b"1", "inside.py": b"1", "twice.py": b"1"}
    outside = ("above.py", "absolute.py", "git.py", "loop.py", "nowhere.py")
    assert problems(clone, commit) == dict.fromkeys(outside, Reason.OUTSIDE)


def test_a_file_that_is_too_large_is_named_and_not_read(
    repository: Repository, clone: Clone
) -> None:
    repository.commit("Large", {"fits.py": b"#" * 2**20, "large.py": b"#" * (2**20 + 1)})
    repository.link("link.py", "large.py")
    repository.commit("Linked")
    commit = fetched(clone, repository.url)
    assert problems(clone, commit) == dict.fromkeys(("large.py", "link.py"), Reason.TOO_LARGE)
    assert len(contents(clone, commit)["fits.py"] or b"") == 2**20


def test_names_that_cannot_be_shown_are_refused(repository: Repository, clone: Clone) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", data=b"print()")
    names = (b"latin-\xe9.py", b"line\nbreak.py", b"escape\x1b[31m.py")
    listing = b"".join(b"100644 blob %s\t%s\x00" % (blob.encode(), name) for name in names)
    tree = repository.git("mktree", "-z", data=listing)
    repository.git("update-ref", "HEAD", repository.git("commit-tree", "-m", "Odd", tree))

    commit = fetched(clone, repository.url)

    named = ("latin-\\xe9.py", "line\\nbreak.py", "escape\\x1b[31m.py")
    assert problems(clone, commit) == dict.fromkeys(named, Reason.INVALID_NAME)


def test_names_that_lead_out_of_a_folder_are_left_out(repository: Repository, clone: Clone) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", data=b"print()")
    inner = repository.git("mktree", data=f"100644 blob {blob}\tevil.py\n".encode())
    listing = f"040000 tree {inner}\t..\n040000 tree {inner}\t.git\n100644 blob {blob}\tok.py\n"
    tree = repository.git("mktree", data=listing.encode())
    repository.git("update-ref", "HEAD", repository.git("commit-tree", "-m", "Evil", tree))
    commit = fetched(clone, repository.url)
    assert list(contents(clone, commit)) == ["ok.py"]


def test_nothing_of_a_repository_is_run(
    repository: Repository, clone: Clone, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    attributes = "*.py filter=evil diff=evil merge=evil\n"
    repository.commit("Evil", {".gitattributes": attributes, "a.py": "print(1)"})
    config = f'[filter "evil"]\n\tsmudge = touch {ran}\n\tclean = touch {ran}\n'
    for name in ("post-checkout", "post-merge", "reference-transaction", "post-index-change"):
        hook = repository.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {ran}\n")
        hook.chmod(0o755)
    with open(repository.path / ".git" / "config", "a") as file:
        file.write(config)

    commit = fetched(clone, repository.url)

    assert contents(clone, commit) == {"a.py": b"print(1)"}
    assert not ran.exists()
    assert not (clone.folder / "hooks").exists()


def test_a_pointer_of_git_lfs_stays_a_pointer(repository: Repository, clone: Clone) -> None:
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n"
    repository.commit("LFS", {".gitattributes": "*.py filter=lfs\n", "a.py": pointer})
    assert contents(clone, fetched(clone, repository.url)) == {"a.py": pointer}


def test_a_thousand_files_are_read_quickly(repository: Repository, clone: Clone) -> None:
    files: dict[str, str | bytes] = {
        f"team-{number % 20}/flow-{number}.py": f"print({number})\n" * 50 for number in range(1000)
    }
    repository.commit("Many", files)
    commit = fetched(clone, repository.url)

    before = time.monotonic()
    read: list[SourceFile] = list(clone.files(commit.sha))
    took = time.monotonic() - before

    assert len(read) == 1000
    assert took < 5  # 0.05 s on an idle machine
