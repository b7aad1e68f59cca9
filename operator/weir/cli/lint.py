"""`weir lint`: what an author should know of scripts before they run. Asks no cluster."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from weir.cli import manifests
from weir.cli.errors import CliError, ExitCode
from weir.cli.output import VALUES, Output, way_of, written
from weir.cli.terminal import Terminal, one_line, say
from weir.core import linting
from weir.core.lint_rules import RULES, Finding, Severity
from weir_protocol import scripts

STDIN = "-"
WAYS = (Output.TEXT, *VALUES, Output.NAME)

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "blue"}
_MANIFESTS = (".yaml", ".yml", ".json")


class Located(NamedTuple):
    """A finding, and its place in a file."""

    path: str
    line: int
    column: int
    finding: Finding


class Checked(NamedTuple):
    """What was found in so many scripts."""

    scripts: int
    found: list[Located]


def lint(paths: Sequence[str], *, strict: bool, ignore: Sequence[str], output: str) -> ExitCode:
    """Check files and print what was found. Raises CliError."""
    way = way_of(output, WAYS, "findings have no columns")
    ignored = _codes(ignore)
    checked = [_check(path, text) for path, text in _texts(paths)]
    found = [
        one for each in checked for one in each.found if one.finding.code.upper() not in ignored
    ]
    if way in VALUES:
        print(written([_record(one) for one in found], way), end="")
    elif way == Output.NAME:
        for name in dict.fromkeys(one_line(one.path) for one in found):
            print(name)
    else:
        _show(found, Terminal.of(sys.stdout))
        say(_summary(sum(each.scripts for each in checked), found))
    bad = linting.fails((one.finding for one in found), strict=strict)
    return ExitCode.FAILED if bad else ExitCode.SUCCEEDED


def _codes(ignore: Sequence[str]) -> set[str]:
    codes = {code.strip().upper() for given in ignore for code in given.split(",") if code.strip()}
    for code in sorted(codes - RULES.keys()):
        raise CliError(f"--ignore {code}: there are {', '.join(RULES)}")
    for code in sorted(codes):
        if code.startswith("E"):
            raise CliError(f"--ignore {code}: a script with this error cannot be run")
    return codes


def _texts(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the files that hold scripts, with their text. Those that are named are read whatever
    they hold; in a folder those that look like it.
    """
    for path in paths:
        if path == STDIN:
            yield STDIN, sys.stdin.read()
        elif Path(path).is_dir():
            yield from _in_folder(Path(path))
        else:
            yield path, _read(Path(path))


def _in_folder(folder: Path) -> Iterator[tuple[str, str]]:
    for parent, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] != "." and name != "__pycache__")
        for name in sorted(files):
            path = Path(parent, name)
            if path.suffix not in (".py", ".yaml", ".yml"):
                continue
            text = _read(path)
            if path.suffix != ".py" or _is_flow(text):
                yield str(path), text


def _is_flow(text: str) -> bool:
    """Whether a Python file is one that Weir runs: a folder holds others, such as their tests."""
    return f"def {scripts.HANDLER}(" in text


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CliError(f"{path} is no UTF-8 text") from None


def _check(path: str, text: str) -> Checked:
    named = path != STDIN
    if Path(path).suffix in _MANIFESTS if named else manifests.is_manifest(text):
        return _check_manifest(path, text)
    found = linting.check(text)
    return Checked(1, [Located(path, one.line, one.column, one) for one in found])


def _check_manifest(path: str, text: str) -> Checked:
    try:
        embedded = list(manifests.scripts_in(text))
    except manifests.NoYaml as error:
        finding = Finding("E101", error.line, error.column, f"no YAML: {error.message}", "", 1)
        return Checked(1, [Located(path, error.line, error.column, finding)])
    found = []
    for script in embedded:
        for one in linting.check(
            script.source, resumes=script.resumes, brings_modules=script.brings_modules
        ):
            line, column = script.line, script.indent + 1
            if script.verbatim:
                line, column = script.line + one.line - 1, script.indent + one.column
            else:
                one = one._replace(message=f"{one.message} (line {one.line} of the script)")
            found.append(Located(path, line, column, one))
    return Checked(len(embedded), found)


def _show(found: list[Located], terminal: Terminal) -> None:
    for path, line, column, finding in found:
        code = terminal.paint(finding.code, _COLOURS[finding.severity])
        print(f"{one_line(path)}:{line}:{column}: {code} {one_line(finding.message)}")
        if finding.help:
            print(terminal.paint(f"  help: {one_line(finding.help)}", "dim"))


def _record(one: Located) -> dict[str, Any]:
    finding = one.finding
    return {
        "path": one.path,
        "line": one.line,
        "column": one.column,
        "code": finding.code,
        "name": RULES[finding.code].name,
        "severity": str(finding.severity),
        "message": finding.message,
        "help": finding.help,
    }


def _summary(count: int, found: list[Located]) -> str:
    checked = f"{count} script{'' if count == 1 else 's'} checked"
    numbers = Counter(one.finding.severity for one in found)
    kinds = [
        f"{numbers[severity]} {severity}{'' if numbers[severity] == 1 else 's'}"
        for severity in Severity
        if numbers[severity]
    ]
    return f"{checked}: {', '.join(kinds) if kinds else 'nothing found'}"
