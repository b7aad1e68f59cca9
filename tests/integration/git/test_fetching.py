"""Which commit is fetched, and what becomes of a folder that is fetched into again and again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.integration.connectors.git_repository import Repository
from tests.integration.git.conftest import contents, fetched
from weir.api.reasons import Reason
from weir.api.repository import GitRef
from weir.git.credentials import NONE
from weir.git.errors import GitError
from weir.git.fetching import Clone, newest


@pytest.fixture
def versions(repository: Repository) -> dict[str, str]:
    """SHAs of a repository with branches and tags, by what they are called."""
    shas = {"first": repository.commit("First", {"flow.py": "1"})}
    repository.git("tag", "v1.0.0")
    shas["second"] = repository.commit("Second\n\nWith more.", {"flow.py": "2"})
    repository.git("tag", "--annotate", "--message", "A release", "v1.2.0")
    repository.git("branch", "develop", "HEAD~1")
    shas["third"] = repository.commit("Third", {"flow.py": "3"})
    repository.git("tag", "v2.0.0-rc.1")
    repository.git("tag", "nightly")
    return shas


@pytest.mark.parametrize(
    ("ref", "expected", "name"),
    [
        pytest.param({}, "third", "HEAD", id="the default branch"),
        pytest.param({"branch": "develop"}, "first", "refs/heads/develop", id="a branch"),
        pytest.param({"tag": "v1.0.0"}, "first", "refs/tags/v1.0.0", id="a tag"),
        pytest.param({"tag": "v1.2.0"}, "second", "refs/tags/v1.2.0", id="an annotated tag"),
        pytest.param({"semver": ">=1 <2"}, "second", "refs/tags/v1.2.0", id="a range"),
        pytest.param({"semver": "~1.0"}, "first", "refs/tags/v1.0.0", id="a narrow range"),
        pytest.param({"semver": ">=2.0.0-0"}, "third", "refs/tags/v2.0.0-rc.1", id="a candidate"),
    ],
)
def test_a_ref_means(
    repository: Repository,
    versions: dict[str, str],
    clone: Clone,
    ref: dict[str, str],
    expected: str,
    name: str,
) -> None:
    commit = fetched(clone, repository.url, ref=ref)

    assert (commit.sha, commit.ref) == (versions[expected], name)
    assert contents(clone, commit) == {
        "flow.py": repository.git("show", commit.sha + ":flow.py").encode()
    }
    known = newest(repository.url, GitRef(**ref), NONE, timeout=30, allow_local=True)
    assert known == commit.sha


def test_a_commit_is_described(
    repository: Repository, versions: dict[str, str], clone: Clone
) -> None:
    commit = fetched(clone, repository.url, ref={"commit": versions["second"]})

    assert commit.sha == commit.ref == versions["second"]
    assert commit.author == "Ada Lovelace <ada@example.com>"
    assert commit.subject == "Second"
    assert commit.time == datetime(2026, 1, 31, 11, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("ref", "message"),
    [
        ({"branch": "gone"}, 'there is no branch "gone"'),
        ({"tag": "gone"}, 'there is no tag "gone"'),
        ({"commit": "1" * 40}, f'there is no commit "{"1" * 40}"'),
        ({"semver": ">=7"}, 'no tag is a version in the range ">=7"'),
    ],
)
def test_a_ref_that_is_not_there_is_named(
    repository: Repository,
    versions: dict[str, str],
    clone: Clone,
    ref: dict[str, str],
    message: str,
) -> None:
    with pytest.raises(GitError, match=message) as failed:
        fetched(clone, repository.url, ref=ref)
    assert (failed.value.reason, failed.value.transient) == (Reason.REF_NOT_FOUND, False)


@pytest.mark.parametrize(
    "ref", [{"branch": "a..b"}, {"tag": "--upload-pack=x"}, {"semver": "new"}, {"branch": "a:b"}]
)
def test_what_is_no_ref_is_refused(
    repository: Repository, clone: Clone, ref: dict[str, str]
) -> None:
    with pytest.raises(GitError, match=r"spec\.ref") as failed:
        fetched(clone, repository.url, ref=ref)
    assert failed.value.reason is Reason.INVALID_SPEC


def test_an_empty_repository_has_no_commit(repository: Repository, clone: Clone) -> None:
    with pytest.raises(GitError, match="is empty, or has no default branch") as failed:
        fetched(clone, repository.url)
    assert failed.value.reason is Reason.REF_NOT_FOUND
    with pytest.raises(GitError, match="is empty"):
        newest(repository.url, GitRef(), NONE, timeout=30, allow_local=True)


def test_a_history_that_was_rewritten_is_no_trouble(repository: Repository, clone: Clone) -> None:
    repository.commit("One", {"a.py": "1"})
    fetched(clone, repository.url)
    repository.commit("Two", {"a.py": "2"})
    fetched(clone, repository.url)
    repository.git("checkout", "--quiet", "--orphan", "fresh")
    repository.commit("All new", {"a.py": "9"})
    repository.git("branch", "--move", "--force", "trunk")

    commit = fetched(clone, repository.url, ref={"branch": "trunk"})

    assert (commit.subject, contents(clone, commit)) == ("All new", {"a.py": b"9"})


def test_only_the_newest_commit_is_fetched(repository: Repository, clone: Clone) -> None:
    old = repository.commit("One", {"a.py": "1"})
    repository.commit("Two", {"a.py": "2"})
    fetched(clone, repository.url)
    with pytest.raises(GitError, match="is not there any more"):
        list(clone.files(old))


def test_another_url_begins_anew(repository: Repository, clone: Clone, tmp_path: Path) -> None:
    old = repository.commit("One", {"a.py": "1"})
    fetched(clone, repository.url)
    other = Repository(tmp_path / "other")
    other.commit("Other", {"b.py": "2"})

    assert contents(clone, fetched(clone, other.url)) == {"b.py": b"2"}
    with pytest.raises(GitError, match="is not there any more"):
        list(clone.files(old))


def _lock(folder: Path) -> None:
    (folder / "shallow.lock").touch()
    (folder / "refs" / "weir" / "fetched.lock").touch()
    (folder / "objects" / "pack" / "tmp_pack_x").write_bytes(b"half")


def _empty_packs(folder: Path) -> None:
    for pack in (folder / "objects" / "pack").iterdir():
        pack.chmod(0o600)
        pack.write_bytes(b"")


def _lose_head(folder: Path) -> None:
    (folder / "HEAD").unlink()


@pytest.mark.parametrize("harm", [_lock, _empty_packs, _lose_head])
def test_a_folder_that_a_kill_left_behind_is_made_good(
    repository: Repository, clone: Clone, harm: Any
) -> None:
    repository.commit("One", {"a.py": "1"})
    fetched(clone, repository.url)
    harm(clone.folder)
    repository.commit("Two", {"a.py": "2"})

    assert contents(clone, fetched(clone, repository.url)) == {"a.py": b"2"}
    assert not list(clone.folder.rglob("*.lock")) + list(clone.folder.rglob("tmp_*"))


def test_a_folder_that_gathers_packs_begins_anew(
    repository: Repository, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("weir.git.fetching._MOST_PACKS", 2)
    for number in range(4):
        repository.commit("Next", {"a.py": str(number)})
        commit = fetched(clone, repository.url)
    assert contents(clone, commit) == {"a.py": b"3"}
    assert len(list((clone.folder / "objects" / "pack").glob("*.pack"))) <= 2


def test_folders_of_the_pod_are_not_read(repository: Repository, clone: Clone) -> None:
    repository.commit("One", {"a.py": "1"})
    with pytest.raises(GitError, match="folders of Weir's own Pod are not read") as failed:
        fetched(clone, repository.url, allow_local=False)
    assert failed.value.reason is Reason.INVALID_SPEC


@pytest.mark.parametrize(
    "url", ["ext::sh -c id", "/srv/flows.git", "../flows.git", "https://", "ssh://-oProxy=x/y", ""]
)
def test_what_is_no_address_is_refused(clone: Clone, url: str) -> None:
    with pytest.raises(GitError, match="The repository's URL: expected") as failed:
        fetched(clone, url)
    assert failed.value.reason is Reason.INVALID_SPEC
