"""What a commit of an edited script says: its branch, its author, its message."""

from __future__ import annotations

import re

from weir.api.names import slug
from weir.api.repository import FlowRepositorySpec

LONGEST_MESSAGE = 4096
LONGEST_BRANCH = 200

_OWN_BRANCHES = "weir/"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_TRAILER = "Weir-User"
# A domain that nobody can have: who has no address is not given somebody else's.
_NO_DOMAIN = "weir.invalid"

# As `git check-ref-format` has it, and no option of git.
_BRANCH = re.compile(
    r"(?!-|/|refs/|HEAD$|@$)(?!.*(?:\.\.|//|@\{|/\.|\.lock(?:/|$)|\.$|/$))"
    r"(?!\.)[^\x00-\x20\x7f~^:?*\[\\]+"
)
_AUTHOR = re.compile(
    r"(?P<name>[^<>\x00-\x1f\x7f]*[^<>\s\x00-\x1f\x7f]) *<(?P<email>[^<>\s]+@[^<>\s]+)>"
)
_EMAIL = re.compile(r"[^<>\s:@]+@[^<>\s:@]+")
_CONTROLS = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")


class NoCommit(ValueError):
    """What is asked for cannot be committed; the text says what to write instead."""


def branch_of(spec: FlowRepositorySpec, asked: str | None, user: str) -> str:
    """Return the branch to commit to: what is asked for, the repository's, or the user's own.

    Raises NoCommit for what is no name of a branch.
    """
    branch = asked or (spec.push.branch if spec.push else None) or own_branch(user)
    if len(branch) > LONGEST_BRANCH or not _BRANCH.fullmatch(branch):
        raise NoCommit(f"{branch[:LONGEST_BRANCH]!r} is no name of a branch, such as weir/ada")
    return branch


def own_branch(user: str) -> str:
    """Return the branch that is a user's own unless they name one, such as weir/ada."""
    return _OWN_BRANCHES + slug(user.removeprefix(_SERVICE_ACCOUNT))


def author_of(user: str, asked: str | None) -> tuple[str, str]:
    """Return name and address of the author: what is asked for as `Name <address>`, else the user.

    Raises NoCommit for what is no author.
    """
    if asked is not None:
        found = _AUTHOR.fullmatch(asked.strip())
        if found is None or len(asked) > 256:
            raise NoCommit("an author is written as 'Ada Lovelace <ada@example.com>'")
        return found["name"].strip(), found["email"]
    name = re.sub(r"[<>\x00-\x1f\x7f]", "", user)[:200].strip() or "unknown"
    email = user if _EMAIL.fullmatch(user) and len(user) <= 200 else f"{slug(user)}@{_NO_DOMAIN}"
    return name, email


def message_of(asked: str | None, *, path: str, user: str) -> str:
    """Return the message: what is asked for, and in its last line who asked, which only the server
    says. Raises NoCommit.
    """
    text = _CONTROLS.sub("", (asked or "").replace("\r\n", "\n")).strip() or f"Change {path}"
    if len(text) > LONGEST_MESSAGE:
        raise NoCommit(f"a message has at most {LONGEST_MESSAGE} characters")
    if re.search(rf"^\s*{_TRAILER}\s*:", text, re.MULTILINE | re.IGNORECASE):
        raise NoCommit(f"no line of a message begins with {_TRAILER}: the server writes that one")
    return f"{text}\n\n{trailer_of(user)}\n"


def trailer_of(user: str) -> str:
    """Return the line of a message that says who asked."""
    who = re.sub(r"[\x00-\x1f\x7f]", "", user)[:500]
    return f"{_TRAILER}: {who}"
