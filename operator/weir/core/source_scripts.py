"""A script as a Flow: its name from its file, the rest from itself and from `flow.yaml` beside."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any

from weir.api import names
from weir.api.flow import MAX_SCRIPT, Flow
from weir.api.reasons import Reason
from weir.api.repository import RejectedFile
from weir.api.resource import JsonObject
from weir.core import source_yaml, sources
from weir.core.source_headers import Header, header_of
from weir.core.source_objects import Found, checked_name, checked_spec, require_usable
from weir.core.sources import NotTaken, SourceFile, folder_of, options_of, stem_of, text_of

_HINT = " by a comment `# weir: name=…` in its first lines"
# What a file of options cannot say: it is the script's own.
_NOT_OF_FOLDERS = ("script", "title", "description")
_NOT_OF_SCRIPTS = ("script",)


@dataclass
class Options:
    """Fields of Flows that files beside scripts set."""

    by_folder: dict[str, JsonObject] = field(default_factory=dict)
    by_script: dict[str, JsonObject] = field(default_factory=dict)
    rejected: list[RejectedFile] = field(default_factory=list)
    """Files of options that cannot be taken, and so none of the scripts that they are for."""
    _held: dict[str, RejectedFile] = field(default_factory=dict)

    def of(self, path: str, own: JsonObject) -> JsonObject:
        """Return the spec of a script: the folder's options, its own, then its file's.

        Raises NotTaken when one of the two files is rejected.
        """
        for place in (folder_of(path), path):
            problem = self._held.get(place)
            if problem is not None:
                message = f"{problem.path}, which sets options of it, is rejected: mend that file"
                raise NotTaken(problem.reason, message)
        return self.by_folder.get(folder_of(path), {}) | own | self.by_script.get(path, {})


def options_in(files: Sequence[SourceFile], scripts: Collection[str]) -> Options:
    """Read the files of options; `scripts` are the paths of all scripts. Raises nothing."""
    options = Options()
    seen: dict[str, str] = {}
    for file in files:
        script = options_of(file.path)
        place = folder_of(file.path) if script is None else script
        try:
            if place in seen:
                message = f"{seen[place]} is for the same: put both into one file"
                raise NotTaken(Reason.DUPLICATE, message)
            seen[place] = file.path
            if script is not None and script not in scripts:
                message = f"there is no script {script} that it could be for: rename or delete it"
                raise NotTaken(Reason.INVALID_SPEC, message)
            said = _options(file, _NOT_OF_FOLDERS if script is None else _NOT_OF_SCRIPTS)
        except NotTaken as error:
            problem = sources.rejected(file.path, error.reason, error.message)
            options.rejected.append(problem)
            options._held[place] = problem
        else:
            (options.by_folder if script is None else options.by_script)[place] = said
    return options


def flow_in(path: str, content: bytes, options: Options, namespace: str) -> Found:
    """Return the Flow that a script is. Raises NotTaken."""
    script = text_of(content)
    if len(content) > MAX_SCRIPT:
        message = f"a script has at most {MAX_SCRIPT // 1024} KiB: part it into several Flows"
        raise NotTaken(Reason.TOO_LARGE, message)
    beside = options.of(path, {})
    header = header_of(script, own_image=bool((beside.get("runner") or {}).get("image")))
    name, title = _name(path, header)
    own = {
        "title": title,
        "description": header.description,
        "requirements": header.requirements,
    }
    own = {key: value for key, value in own.items() if value is not None}
    spec = options.of(path, own) | {"script": script}
    if not script.strip():
        message = "the file is empty: write a function handler(system, this), or exclude the file"
        raise NotTaken(Reason.NO_HANDLER, message)
    try:
        require_usable(Flow.KIND, name, namespace, spec)
    except NotTaken as error:
        hint = ""
        if error.reason == Reason.NO_HANDLER:
            hint = "; a file that is no Flow is left out by exclude"
        raise NotTaken(error.reason, f"{error.message}{hint}") from None
    return Found(Flow.KIND, name, spec, hint=_HINT)


def _name(path: str, header: Header) -> tuple[str, str | None]:
    """Return the object name of a script's Flow, and its title where that is another."""
    if header.name is not None:
        return checked_name(Flow.KIND, header.name), header.title
    title = header.title or stem_of(path)
    name = names.record_name(title)
    return name, title if title != name else None


def _options(file: SourceFile, not_taken: Sequence[str]) -> JsonObject:
    if file.problem is not None:
        raise NotTaken(file.problem.reason, file.problem.message)
    content = file.content
    if content is None:
        raise NotTaken(Reason.REFUSED, "the file was not read")
    said: Any = source_yaml.one_document(text_of(content), "a file of options")
    if said is None:
        return {}
    if not isinstance(said, dict):
        raise NotTaken(Reason.INVALID_SPEC, "this is no mapping of fields such as `timeout: 5m`")
    if "apiVersion" in said or "kind" in said:
        message = (
            "this file is for options of scripts, such as `timeout: 5m`: call a manifest "
            f"otherwise than {', '.join(sources.OPTIONS)} or NAME.flow.yaml"
        )
        raise NotTaken(Reason.INVALID_SPEC, message)
    for key in not_taken:
        if key in said:
            message = f"{key} is not taken from this file: the script says it"
            raise NotTaken(Reason.INVALID_SPEC, message)
    # A script is needed for a whole spec; which does not matter.
    spec = checked_spec(Flow.KIND, {"script": "#", **said}, where="flow")
    del spec["script"]
    require_usable(Flow.KIND, "options", "", spec | {"script": _ANY_SCRIPT})
    return spec


_ANY_SCRIPT = "def handler(system, this): pass"
