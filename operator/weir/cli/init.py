"""`weir init`: a repository to begin with: a flow, its test, CI, and what Weir is told of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path

from weir.api.names import slug
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.output import VALUES, Output, way_of, written
from weir.cli.terminal import one_line, say

WAYS = (Output.TEXT, *VALUES, Output.NAME)

_PLACEHOLDER = "https://git.example.com/team/flows.git"
# Path in the repository: template. Templates have names that no tool takes for its own.
_FILES = {
    "flows/hello.py": "hello.py",
    "flows/hello.flow.yaml": "hello.flow.yaml",
    "tests/test_hello.py": "test_hello.py",
    "repository.yaml": "repository.yaml",
    "README.md": "README.md",
    "requirements-dev.txt": "requirements-dev.txt",
    "pytest.ini": "pytest.ini",
    ".gitignore": "gitignore",
    ".github/workflows/flows.yaml": "github.yaml",
    ".gitlab-ci.yml": "gitlab-ci.yml",
}


@dataclass(frozen=True)
class Plan:
    """What to write where."""

    folder: Path
    name: str | None = None  # of the FlowRepository
    url: str | None = None
    namespace: str | None = None
    force: bool = False


def init(plan: Plan, *, output: str, ask: Callable[[str], bool] | None = None) -> ExitCode:
    """Write the files that are missing. Those that are there stay, unless somebody lets them go.

    Raises CliError. `ask` is asked before a file is overwritten; default: the terminal.
    """
    way = way_of(output, WAYS, "files have no columns")
    folder = plan.folder
    texts = _texts(plan)
    _require_folders(folder, texts)
    there = [path for path in texts if _exists(folder / path)]
    replaced = _to_replace(folder, there, ask or _asked) if plan.force else []
    made = [path for path in texts if path not in there or path in replaced]
    for path in made:
        _write(folder / path, texts[path])
    kept = [path for path in there if path not in replaced]
    if way == Output.NAME:
        for path in made:
            print(folder / path)
    elif way != Output.TEXT:
        print(written({"folder": str(folder), "written": made, "kept": kept}, way), end="")
    else:
        _tell(plan, made, kept)
    return ExitCode.SUCCEEDED


def _texts(plan: Plan) -> dict[str, str]:
    name = slug(plan.name or plan.folder.resolve().name)[:63].strip("-") or "flows"
    if plan.name is not None and plan.name != name:
        raise CliError(f"--name {plan.name!r} cannot be an object's name: take {name}")
    values = {
        "@NAME@": name,
        "@NAMESPACE@": f"\n  namespace: {plan.namespace}" if plan.namespace else "",
        "@URL@": plan.url or _origin(plan.folder) or _PLACEHOLDER,
        "@VERSION@": version("weir-operator"),
    }
    texts = {}
    for path, template in _FILES.items():
        text = (files("weir.cli") / "scaffold" / f"{template}.template").read_text("utf-8")
        for mark, value in values.items():
            text = text.replace(mark, value)
        texts[path] = text
    return texts


def _origin(folder: Path) -> str | None:
    """Return where the folder's repository is pushed to, if it is one and that is known."""
    if not (folder / ".git").exists():
        return None
    try:
        asked = subprocess.run(
            ["git", "-C", str(folder), "remote", "get-url", "origin"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    address = asked.stdout.strip()
    remote = "://" in address or (":" in address and not address.startswith(("/", ".")))
    return address if asked.returncode == 0 and remote and address.isprintable() else None


def _exists(path: Path) -> bool:
    return path.exists() or path.is_symlink()


def _require_folders(folder: Path, paths: dict[str, str]) -> None:
    """Raise CliError where a file stands in the way of a folder: before anything is written."""
    parents = {folder / parent for path in paths for parent in Path(path).parents}
    for parent in sorted({folder, *parents}):
        if _exists(parent) and not parent.is_dir():
            raise CliError(f"{parent} is no folder: move it away, or say another one")


def _to_replace(folder: Path, there: list[str], ask: Callable[[str], bool]) -> list[str]:
    return [path for path in there if ask(f"overwrite {folder / path}? [y/N] ")]


def _asked(question: str) -> bool:
    if not sys.stdin.isatty():
        raise CliError(
            "--force asks before it overwrites, and there is no terminal: remove the files instead"
        )
    sys.stderr.write(question)
    sys.stderr.flush()
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot write {path}: {error.strerror or error}", ExitCode.UNABLE) from None


def _tell(plan: Plan, made: list[str], kept: list[str]) -> None:
    for path in made:
        print(one_line(str(plan.folder / path)))
    for path in kept:
        say(f"{one_line(str(plan.folder / path))} is there already, and stays as it is")
    if not made:
        return
    here = plan.folder.resolve() == Path.cwd()
    inside = "" if here else f"cd {plan.folder} && "
    repository = (plan.folder / "repository.yaml").read_text("utf-8")
    address = "spec.url is still to be set, then " if _PLACEHOLDER in repository else ""
    say(
        "next:\n"
        f"  {inside}{program()} run flows/hello.py --input person=Ada   # runs here\n"
        "  pip install -r requirements-dev.txt && pytest   # its test\n"
        f"  kubectl apply -f repository.yaml   # {address}once it is pushed: flows on the cluster"
    )
