"""The GIT connection type: reads files and the commit of a Git repository.

    this.connect(
        connector_type='GIT', command='get', repository_url='https://example.com/path/to/repo.git'
    )

Outputs of both commands: `commit_sha`, `short_sha`, `commit_message`, `author_name`,
`author_email`, and the date of the commit as `commit_date_iso` (ISO 8601 with offset),
`commit_date_unix` (seconds) and `date_str` (`2026-01-31 12:00:00 +0100`). `get` adds `files`: a
list of `{name, content}` sorted by name, the content in base64.

What is needed where it runs: `git`; for ssh also `ssh` and a line in /etc/passwd for the user; a
folder for temporary files. Submodules are left out, Git LFS files come as their pointers, and
hooks never run.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from weir_connectors import git_fetch, git_url, git_workspace
from weir_connectors.connector import ConnectorType, Context
from weir_connectors.errors import ConnectionCancelled, ConnectionFailed
from weir_connectors.git_inputs import GitInputs
from weir_connectors.inputs import marked, parse
from weir_connectors.scrubbing import scrub

try:
    import git
except ImportError as error:  # also when GitPython is there but finds no git
    _missing: ImportError | None = error
else:
    from weir_connectors import git_tree

    _missing = None

_SHORT = 7  # characters; Git's own choice for a repository with few objects

# Author and their address, date of the commit in three forms, message.
_FORMAT = "%an%x00%ae%x00%cI%x00%ct%x00%ci%x00%B"


class GitConnector:
    """Runs GIT connections."""

    name = "GIT"
    Inputs: type[Any] = GitInputs
    transport_inputs = marked(GitInputs, "transport")

    def repeatable(self, inputs: dict[str, Any]) -> bool:
        """Both commands only read."""
        return True

    def run(self, inputs: dict[str, Any], context: Context) -> dict[str, Any]:
        """Fetch, and return the outputs.

        Raises:
            InputError: the inputs do not fit; nothing was done.
            ConnectionFailed: unreachable, refused, no such ref, too large, or out of time.
            ConnectionCancelled: the context said so.
        """
        return _run(parse(self.name, GitInputs, inputs), context)


CONNECTOR: ConnectorType = GitConnector()


def _run(parsed: GitInputs, context: Context) -> dict[str, Any]:
    if _missing is not None:
        raise ConnectionFailed(
            f"GIT: this image lacks git or GitPython; take Weir's runner image ({_missing})"
        )
    url = git_url.parse(parsed.repository_url)
    if url.password is not None:
        context.log(
            "repository_url holds a password, which everybody who may see this run can read;"
            " better keep it in a Connector's secretInputs"
        )
    with git_workspace.opened(parsed, url) as workspace:
        sha = git_fetch.fetch(workspace, parsed, url, context)
        with _repository(workspace) as repository, _readable(url):
            outputs = describe(repository, sha)
            if parsed.command == "get":
                outputs["files"] = _files(repository, sha, parsed, context)
            return outputs


@contextmanager
def _repository(workspace: git_workspace.Workspace) -> Iterator[git.Repo]:
    repository = git.Repo(workspace.repository)
    # What was left out of the fetch is not fetched behind our back.
    repository.git.update_environment(**{**workspace.environment, "GIT_ALLOW_PROTOCOL": "none"})
    try:
        yield repository
    finally:
        repository.close()


@contextmanager
def _readable(url: git_url.RepositoryUrl) -> Iterator[None]:
    try:
        yield
    except (git.GitError, git.exc.ODBError) as error:
        # Its text names the temporary folder and Git's arguments, which help nobody.
        raise ConnectionFailed(
            f"GIT: {scrub(url.address)}: what was fetched cannot be read ({type(error).__name__});"
            " run `git fsck` on the server's repository"
        ) from error


def describe(repository: git.Repo, sha: str) -> dict[str, Any]:
    """Return the outputs that tell about a commit."""
    # Git's own words: it knows all encodings, and dates that no calendar has.
    shown = repository.git.log(
        "-1", "--encoding=UTF-8", f"--format={_FORMAT}", sha, stdout_as_string=False
    )
    name, email, iso, unix, date, message = shown.decode("utf-8", "replace").split("\x00", 5)
    return {
        "commit_sha": sha,
        "short_sha": sha[:_SHORT],
        "commit_message": message.rstrip("\n"),
        "author_name": name,
        "author_email": email,
        "commit_date_iso": f"{iso[:-1]}+00:00" if iso.endswith("Z") else iso,
        "commit_date_unix": int(unix),
        "date_str": date,
    }


def _files(
    repository: git.Repo, sha: str, parsed: GitInputs, context: Context
) -> list[dict[str, str]]:
    files = git_tree.select(repository, sha, parsed.paths)
    for line in files.said():
        context.log(line)
    contents = []
    for path, file in files.found.items():
        if context.cancelled():
            raise ConnectionCancelled("GIT: given up, the run is to be cancelled")
        content = base64.b64encode(file.read(repository)).decode()
        contents.append({"name": path, "content": content})
    return contents
