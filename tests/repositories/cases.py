"""Bad repositories: `cases/*.yaml`, one file for each kind of trouble.

A file has a `title` and `cases`. A case has

    name      a few words, unique in all files
    files     by path: a text; or {text, repeat, times, then}, {bytes: HEX}, {link: TARGET}
    alone     true: there is no good.py beside, a script with which nothing is wrong
    spec      of the FlowRepository, beside its url
    live      what is there already, by Kind/name: {repository, path}; by default of this one
    brought   what is applied, as Kind/name, beside Flow/good; `[]`: not even that
    rejected  by path: the reason, and what its message has among others

What `live` has is never deleted in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from weir.api import names
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec
from weir.api.resource import JsonObject
from weir.core.sources import SourceFile, rejected

FOLDER = Path(__file__).parent / "cases"
REPOSITORY, NAMESPACE = "team", "demo"
GOOD = "def handler(system, this):\n    pass\n"
_URL = "https://git.example.com/team/flows.git"
_LARGEST = 1024 * 1024
_SPECS: dict[str, JsonObject] = {"Flow": {"script": GOOD}, "Setting": {"value": "earlier"}}


@dataclass(frozen=True)
class Case:
    """A bad repository, and what becomes of it."""

    title: str
    name: str
    files: dict[str, bytes]
    links: dict[str, str]
    """Symbolic links, by path: where they lead."""
    spec: JsonObject
    """Beside its url."""
    live: list[JsonObject]
    """Objects that are there already, as the API has them."""
    brought: set[str]
    rejected: dict[str, tuple[Reason, str]]

    def sources(self) -> list[SourceFile]:
        """Return its files as Git gives them."""
        found = []
        for path, content in self.files.items():
            problem = None
            if len(content) > _LARGEST:
                problem = rejected(path, Reason.TOO_LARGE, "the file has more than 1 MiB")
            found.append(SourceFile(path, None if problem else content, problem))
        for path, target in self.links.items():
            problem = rejected(path, Reason.OUTSIDE, f"{target} is not in the repository")
            found.append(SourceFile(path, None, problem))
        return found

    def repository_spec(self) -> FlowRepositorySpec:
        """Return the FlowRepository's spec."""
        return FlowRepositorySpec.model_validate({"url": _URL} | self.spec)


def load() -> list[Case]:
    """Return all cases, by file."""
    cases = []
    for path in sorted(FOLDER.glob("*.yaml")):
        text = yaml.safe_load(path.read_text())
        cases += [_case(text["title"], **one) for one in text["cases"]]
    return cases


def _case(
    title: str,
    *,
    name: str,
    files: dict[str, Any],
    rejected: dict[str, list[str]],
    alone: bool = False,
    spec: JsonObject | None = None,
    live: dict[str, JsonObject] | None = None,
    brought: list[str] | None = None,
) -> Case:
    contents = {} if alone else {"good.py": GOOD.encode()}
    links = {}
    for path, said in files.items():
        if isinstance(said, dict) and "link" in said:
            links[path] = said["link"]
        else:
            contents[path] = _content(said)
    there = set() if alone or brought == [] else {"Flow/good"}
    return Case(
        title=title,
        name=name,
        files=contents,
        links=links,
        spec=spec or {},
        live=[_live(key, **one) for key, one in (live or {}).items()],
        brought=there | set(brought or []),
        rejected={path: (Reason(reason), words) for path, (reason, words) in rejected.items()},
    )


def _content(said: Any) -> bytes:
    if isinstance(said, str):
        return said.encode()
    if "bytes" in said:
        return bytes.fromhex(said["bytes"])
    content: str = said.get("text", "") + said["repeat"] * said["times"] + said.get("then", "")
    return content.encode()


def _live(key: str, *, repository: str | None = REPOSITORY, path: str = "") -> JsonObject:
    kind, name = key.split("/")
    metadata: JsonObject = {"name": name, "namespace": NAMESPACE, "uid": f"uid-of-{name}"}
    if repository is not None:
        metadata["labels"] = {names.REPOSITORY_LABEL: repository}
        metadata["annotations"] = {names.SOURCE_PATH: path, names.APPLIED: "earlier"}
    return {
        "apiVersion": names.API_VERSION,
        "kind": kind,
        "metadata": metadata,
        "spec": _SPECS[kind],
    }
