"""Where a person opens a pull request of a branch, at the hosts whose addresses are known."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

_SCP_LIKE = re.compile(r"(?:[^@/]+@)?(?P<host>[^:/]+):(?P<path>[^/].*)")
# Hosts of one's own are known by their names: there is nothing else that tells them.
_GITLAB, _GITEA = ("gitlab",), ("gitea", "forgejo", "codeberg")


def url_of(repository: str, branch: str, base: str | None) -> str | None:
    """Return the page where a pull request begins; None where the host is not known.

    Parameters:
        repository: The address of the Git repository.
        branch: The branch with the commits.
        base: The branch that they are for; None is the repository's default branch.
    """
    scheme, host, path = _parts(repository)
    if not host or path.count("/") < 1:
        return None
    top = f"{'http' if scheme == 'http' else 'https'}://{host}/{quote(path)}"
    name = host.partition(":")[0]
    head = quote(branch, safe="")
    compared = f"{quote(base, safe='')}...{head}" if base else head
    if name == "github.com" or name.startswith("github."):
        return f"{top}/compare/{compared}?expand=1"
    if any(word in name for word in _GITLAB):
        query = {"merge_request[source_branch]": branch}
        if base:
            query["merge_request[target_branch]"] = base
        return f"{top}/-/merge_requests/new?{urlencode(query)}"
    if any(word in name for word in _GITEA):
        return f"{top}/compare/{compared}"
    if name == "bitbucket.org":
        query = {"source": branch} | ({"dest": base} if base else {})
        return f"{top}/pull-requests/new?{urlencode(query)}"
    return None


def _parts(repository: str) -> tuple[str, str, str]:
    """Return scheme, host with the port of web pages, and path."""
    if "://" not in repository:
        found = _SCP_LIKE.fullmatch(repository)
        return ("ssh", found["host"].lower(), _path(found["path"])) if found else ("", "", "")
    try:
        parts = urlsplit(repository)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return "", "", ""
    if parts.scheme not in ("http", "https", "ssh", "git"):
        return "", "", ""
    # The port of ssh is not the one of pages.
    web = f":{port}" if port and parts.scheme in ("http", "https") else ""
    return parts.scheme, host + web, _path(parts.path)


def _path(path: str) -> str:
    return path.strip("/").removesuffix(".git")
