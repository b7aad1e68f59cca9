"""What `get` and `metadata` return, from repositories on disk."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.integration.connectors.conftest import git
from tests.integration.connectors.git_repository import AUTHOR, EMAIL, Repository
from weir_connectors.errors import ConnectionFailed


def test_get_returns_every_file_in_base64_sorted_by_name(repository: Repository) -> None:
    repository.commit("Add files", {"b/x.bin": bytes(range(256)), "a.txt": "hello\n", "empty": ""})

    run = git(repository.url)

    assert run.files == {"a.txt": b"hello\n", "b/x.bin": bytes(range(256)), "empty": b""}
    assert list(run.files) == sorted(run.files)


@pytest.mark.parametrize("command", ["get", "metadata"])
def test_both_commands_tell_about_the_commit(repository: Repository, command: str) -> None:
    sha = repository.commit("Say hello\n\nIn three languages: 你好, hallo", {"a.txt": "hello"})

    outputs = git(repository.url, command).outputs
    outputs.pop("files", None)

    assert outputs == {
        "commit_sha": sha,
        "short_sha": sha[:7],
        "commit_message": "Say hello\n\nIn three languages: 你好, hallo",
        "author_name": AUTHOR,
        "author_email": EMAIL,
        "commit_date_iso": "2026-01-31T12:00:00+01:00",
        "commit_date_unix": 1769857200,
        "date_str": "2026-01-31 12:00:00 +0100",
    }


def test_metadata_returns_no_files(repository: Repository) -> None:
    repository.commit("Add", {"a.txt": "hello"})
    assert "files" not in git(repository.url, "metadata").outputs


def test_without_a_ref_the_default_branch_is_read(repository: Repository) -> None:
    repository.commit("On trunk", {"a.txt": "trunk"})
    repository.git("branch", "develop")
    sha = repository.commit("Ahead of develop", {"a.txt": "ahead"})

    assert git(repository.url, "metadata").outputs["commit_sha"] == sha


@pytest.mark.parametrize("command", ["get", "metadata"])
@pytest.mark.parametrize(
    "ref",
    [
        pytest.param("feature/one", id="a branch"),
        pytest.param("refs/heads/feature/one", id="a branch by its full name"),
        pytest.param("v1.0", id="an annotated tag"),
        pytest.param("light", id="a light tag"),
        pytest.param("{sha}", id="a SHA"),
        pytest.param("{short}", id="a shortened SHA"),
    ],
)
def test_a_ref_may_be(repository: Repository, ref: str, command: str) -> None:
    repository.commit("Base")
    repository.git("checkout", "--quiet", "-b", "feature/one")
    sha = repository.commit("Feature", {"a.txt": "feature"})
    repository.git("tag", "--annotate", "--message", "One", "v1.0")
    repository.git("tag", "light")
    repository.git("checkout", "--quiet", "trunk")
    repository.commit("Later")

    run = git(repository.url, command, ref=ref.format(sha=sha, short=sha[:9]))

    assert run.outputs["commit_sha"] == sha
    if command == "get":
        assert run.files == {"a.txt": b"feature"}


def test_a_sha_that_no_branch_begins_with_is_found(repository: Repository) -> None:
    first = repository.commit("First", {"a.txt": "1"})
    repository.commit("Second", {"a.txt": "2"})

    assert git(repository.url, ref=first).files == {"a.txt": b"1"}


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        pytest.param(
            "develop", 'there is no branch, tag or commit "develop"', id="an unknown branch"
        ),
        pytest.param("0" * 39 + "1", "there is no", id="an unknown SHA"),
        pytest.param("abcdef1", 'there is no commit "abcdef1"', id="an unknown shortened SHA"),
        pytest.param(
            "blob", 'there is no commit "blob"', id="a tag of something else than a commit"
        ),
    ],
)
def test_an_unknown_ref_is_refused_by_name(repository: Repository, ref: str, message: str) -> None:
    repository.commit("First", {"a.txt": "1"})
    repository.git("tag", "blob", "HEAD:a.txt")

    with pytest.raises(ConnectionFailed, match=message) as failed:
        git(repository.url, ref=ref)
    assert repository.url in str(failed.value)


def test_an_empty_repository_is_named_as_the_trouble(repository: Repository) -> None:
    with pytest.raises(ConnectionFailed, match="empty or has no default branch"):
        git(repository.url)


def test_a_folder_that_is_no_repository_is_named_as_the_trouble(tmp_path: Path) -> None:
    with pytest.raises(ConnectionFailed, match="there is no such repository"):
        git(f"file://{tmp_path}")


def test_symbolic_links_are_followed_within_the_repository_only(repository: Repository) -> None:
    repository.write("docs/real.txt", "real")
    repository.link("docs/near", "real.txt")
    repository.link("far", "docs/near")
    repository.link("outside", "../../../../etc/passwd")
    repository.link("absolute", "/etc/passwd")
    repository.link("folder", "docs")
    repository.link("dangling", "nowhere")
    repository.link("loop", "loop")
    repository.commit("Link")

    run = git(repository.url)

    assert run.files == {"docs/near": b"real", "docs/real.txt": b"real", "far": b"real"}
    assert run.log == [
        "left out, symbolic links that lead to no file of the repository:"
        " absolute, dangling, folder, loop, outside"
    ]


def test_submodules_are_left_out_and_said(repository: Repository, tmp_path: Path) -> None:
    other = Repository(tmp_path / "other")
    other.commit("Other", {"secret.txt": "x"})
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", other.url, "module"
    )
    repository.commit("Add a module", {"a.txt": "1"})

    run = git(repository.url)

    assert set(run.files) == {".gitmodules", "a.txt"}
    assert run.log == ["left out, submodules: module"]


def test_names_that_could_leave_a_folder_are_left_out(repository: Repository) -> None:
    blob = repository.git("hash-object", "-w", "--stdin", data=b"evil")
    inner = repository.git("mktree", data=f"100644 blob {blob}\tpasswd\n".encode())
    tree = b"100644 fine\x00" + bytes.fromhex(blob) + b"40000 ..\x00" + bytes.fromhex(inner)
    sha = repository.git("hash-object", "-t", "tree", "--literally", "-w", "--stdin", data=tree)
    commit = repository.git("commit-tree", sha, "-m", "Evil")
    repository.git("update-ref", "refs/heads/trunk", commit)

    run = git(repository.url)

    assert run.files == {"fine": b"evil"}
    assert run.log == ["left out, names that no repository should hold: .., ../passwd"]


def test_names_and_texts_that_are_no_utf8_still_make_json(repository: Repository) -> None:
    repository.git("config", "i18n.commitEncoding", "latin-1")
    (repository.path / "caf\udce9.txt").write_text("x")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--file=-", data="Caf\u00e9".encode("latin-1"))

    run = git(repository.url)

    json.dumps(run.outputs).encode()
    assert [name.startswith("caf") for name in run.files] == [True]
    assert run.outputs["commit_message"] == "Café"


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        pytest.param(["**/*.py"], ["flows/a.py", "flows/deep/b.py", "top.py"], id="any depth"),
        pytest.param(["*.py"], ["top.py"], id="a star stays within a folder"),
        pytest.param(
            ["flows"], ["flows/a.py", "flows/deep/b.py"], id="a folder means all below it"
        ),
        pytest.param(["flows/?.py", "*.md"], ["README.md", "flows/a.py"], id="several patterns"),
        pytest.param(["nothing"], [], id="nothing matches"),
    ],
)
def test_paths_choose_files(repository: Repository, paths: list[str], names: list[str]) -> None:
    repository.commit(
        "Add", {"README.md": "", "top.py": "", "flows/a.py": "", "flows/deep/b.py": ""}
    )
    assert list(git(repository.url, paths=paths).files) == names


def test_a_repository_that_is_too_large_is_refused_with_what_to_do(repository: Repository) -> None:
    repository.commit("Add", {"large.bin": bytes(8 * 2**20), "more.bin": bytes(3 * 2**20)})

    with pytest.raises(ConnectionFailed) as failed:
        git(repository.url)

    assert str(failed.value) == (
        "GIT: the files are too large: 11.0 MiB in 2 files, the limit is 10 MiB"
        " (largest: large.bin, 8.0 MiB); choose some with the input paths"
    )
    assert len(git(repository.url, paths=["more.bin"]).files["more.bin"]) == 3 * 2**20


def test_a_tree_that_names_itself_without_end_is_refused(repository: Repository) -> None:
    tree = repository.git("mktree", data=b"")
    for _ in range(8):
        entries = "".join(f"040000 tree {tree}\t{name}\n" for name in "0123456789")
        tree = repository.git("mktree", data=entries.encode())
    commit = repository.git("commit-tree", tree, "-m", "Bomb")
    repository.git("update-ref", "refs/heads/trunk", commit)

    with pytest.raises(ConnectionFailed, match="more than 200000 files and folders"):
        git(repository.url)


def test_a_commit_with_an_impossible_date_is_still_read(repository: Repository) -> None:
    tree = repository.git("mktree", data=b"")
    person = "Nobody <> 99999999999999 +9999"
    text = f"tree {tree}\nauthor {person}\ncommitter {person}\n\nOdd\n"
    sha = repository.git(
        "hash-object", "-t", "commit", "--literally", "-w", "--stdin", data=text.encode()
    )
    repository.git("update-ref", "refs/heads/trunk", sha)

    outputs = git(repository.url).outputs

    assert outputs["commit_message"] == "Odd"
    json.dumps(outputs)


def test_hooks_and_settings_of_the_repository_are_never_used(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit("Add", {"a.txt": "1"})
    mark = tmp_path / "mark"
    for name in ("post-checkout", "reference-transaction", "pre-receive", "post-upload-pack"):
        hook = repository.path / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
        hook.chmod(0o755)
    repository.git("config", "uploadpack.packObjectsHook", f"touch {mark};")
    repository.git("config", "core.fsmonitor", f"touch {mark};")

    assert git(repository.url).files == {"a.txt": b"1"}
    assert not mark.exists()
