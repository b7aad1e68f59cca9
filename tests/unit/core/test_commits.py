"""What commits of edited scripts say."""

import pytest

from weir.api.repository import FlowRepositorySpec, RepositoryPush
from weir.core.commits import NoCommit, author_of, branch_of, message_of
from weir.core.pull_requests import url_of

ADA = "ada@example.com"


def spec(branch: str | None = None) -> FlowRepositorySpec:
    return FlowRepositorySpec(url="https://x.test/a/b.git", push=RepositoryPush(branch=branch))


@pytest.mark.parametrize(
    ("asked", "of_repository", "user", "branch"),
    [
        ("fix/report", "edits", ADA, "fix/report"),
        (None, "edits", ADA, "edits"),
        (None, None, ADA, "weir/ada-example-com"),
        (None, None, "system:serviceaccount:team-a:ada", "weir/team-a-ada"),
        (None, None, "--upload-pack=x", "weir/upload-pack-x"),
        ("v1.2_x", None, ADA, "v1.2_x"),
    ],
)
def test_a_commit_goes_to_what_is_asked_for_or_to_a_branch_of_ones_own(
    asked: str | None, of_repository: str | None, user: str, branch: str
) -> None:
    assert branch_of(spec(of_repository), asked, user) == branch


@pytest.mark.parametrize(
    "branch",
    [
        *("-x", "--delete", "/x", "x/", "a..b", "a b", "a\nb", "refs/heads/x", "HEAD", "@", "a~1"),
        *("x^", "a:b", "+a?", "*", "a[b", "a\\b", "a@{1}", "a//b", ".x", "a/.x", "x.lock", "x."),
        *("x.lock/y", "n" * 201),
    ],
)
def test_what_git_would_not_have_as_a_branch_is_refused(branch: str) -> None:
    with pytest.raises(NoCommit, match="no name of a branch"):
        branch_of(spec(), branch, ADA)


@pytest.mark.parametrize(
    ("user", "asked", "author"),
    [
        (ADA, None, f"{ADA} <{ADA}>"),
        ("ada", None, "ada <ada@weir.invalid>"),
        (
            "system:serviceaccount:team-a:ada",
            None,
            "system:serviceaccount:team-a:ada <system-serviceaccount-team-a-ada@weir.invalid>",
        ),
        ("a <b@c>\n", None, "a b@c <a-b-c@weir.invalid>"),
        ("ada", "Ada Lovelace <ada@example.com>", "Ada Lovelace <ada@example.com>"),
        ("ada", "Ada<ada@example.com>", "Ada <ada@example.com>"),
    ],
)
def test_the_author_is_who_asks_unless_they_say_otherwise(
    user: str, asked: str | None, author: str
) -> None:
    name, email = author_of(user, asked)
    assert f"{name} <{email}>" == author


@pytest.mark.parametrize("asked", ["", "Ada", "<a@b>", "Ada <ada>", "A\n <a@b>", "A <a@b> <c@d>"])
def test_what_is_no_author_is_refused(asked: str) -> None:
    with pytest.raises(NoCommit, match="Ada Lovelace"):
        author_of("ada", asked)


def test_a_message_ends_with_who_asked() -> None:
    made = message_of("Mend\r\n\r\nall\x1b[31m of it\n", path="a.py", user="ada\nWeir-User: eve")
    assert made == "Mend\n\nall[31m of it\n\nWeir-User: adaWeir-User: eve\n"
    assert message_of(None, path="a/b.py", user="ada") == "Change a/b.py\n\nWeir-User: ada\n"


@pytest.mark.parametrize("asked", ["x\nWeir-User: eve", "weir-user : eve", "n" * 4097])
def test_a_message_does_not_say_it_itself(asked: str) -> None:
    with pytest.raises(NoCommit):
        message_of(asked, path="a.py", user="ada")


@pytest.mark.parametrize(
    ("repository", "base", "url"),
    [
        (
            "https://github.com/acme/flows.git",
            "main",
            "https://github.com/acme/flows/compare/main...weir%2Fada?expand=1",
        ),
        (
            "git@github.com:acme/flows.git",
            None,
            "https://github.com/acme/flows/compare/weir%2Fada?expand=1",
        ),
        (
            "https://token@gitlab.example.com:8443/a/b/flows",
            "main",
            "https://gitlab.example.com:8443/a/b/flows/-/merge_requests/new?"
            "merge_request%5Bsource_branch%5D=weir%2Fada&"
            "merge_request%5Btarget_branch%5D=main",
        ),
        (
            "ssh://git@codeberg.org:2222/acme/flows.git/",
            "main",
            "https://codeberg.org/acme/flows/compare/main...weir%2Fada",
        ),
        (
            "https://bitbucket.org/acme/flows.git",
            "main",
            "https://bitbucket.org/acme/flows/pull-requests/new?source=weir%2Fada&dest=main",
        ),
        ("https://git.example.com/acme/flows.git", "main", None),
        ("https://github.com/flows", "main", None),
        ("file:///srv/github.com/a/b", "main", None),
        ("github.com", "main", None),
        ("https://github.com:port/a/b", "main", None),
    ],
)
def test_known_hosts_have_a_page_for_pull_requests(
    repository: str, base: str | None, url: str | None
) -> None:
    assert url_of(repository, "weir/ada", base) == url
