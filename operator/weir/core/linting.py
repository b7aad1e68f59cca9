"""What an author should know of a script before it runs. Nothing of the script is executed."""

import ast
import io
import re
import sys
import tokenize
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator

from weir.core import lint_calls, lint_connections, lint_ends, lint_resume
from weir.core.lint_rules import Finding, Severity
from weir.core.lint_script import Script, finding
from weir_protocol import scripts

# What comes with the runner, besides the standard library: `modules` of weir-flow-api.
INSTALLED = frozenset({"dateutil", "flow_api", "jinja2", "pystache", "pytz", "yaml"})

_CHECKS: tuple[Callable[[Script], Iterator[Finding]], ...] = (
    lint_calls.wrong_arguments,
    lint_calls.unknown_names,
    lint_calls.unknown_fields,
    lint_calls.awaits,
    lint_calls.records,
    lint_calls.exits,
    lint_calls.sleeps,
    lint_connections.inputs,
    lint_ends.outputs_lost,
    lint_ends.not_json,
    lint_ends.swallowed,
    lint_ends.never_reached,
    lint_ends.not_awaited,
)

_NOQA = re.compile(r"#\s*noqa(?P<codes>\s*:\s*[A-Z]\d+(?:[\s,]+[A-Z]\d+)*)?", re.IGNORECASE)


def check(script: str, *, resumes: bool = True, brings_modules: bool = True) -> list[Finding]:
    """Return what there is to say about a script, in the order of its lines.

    Parameters:
        script: Python source.
        resumes: Whether a run of it goes on after its Pod is lost; if not, there are no notices.
        brings_modules: Whether it may have more modules than the runner comes with.
    """
    problem = scripts.problem_with(script)
    if problem is not None:
        return [_error(problem)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = Script(ast.parse(script))
    found = [one for look in _CHECKS for one in look(parsed)]
    if resumes:
        found += lint_resume.notices(parsed)
    if not brings_modules:
        found += _not_installed(parsed)
    return sorted(_kept(found, script), key=lambda one: (one.line, one.column, one.code))


def fails(findings: Iterable[Finding], *, strict: bool) -> bool:
    """Whether the findings are bad enough: errors are; with `strict` warnings, too."""
    bad = {Severity.ERROR, Severity.WARNING} if strict else {Severity.ERROR}
    return any(one.severity in bad for one in findings)


def _error(problem: scripts.ScriptProblem) -> Finding:
    line = problem.line or 1
    if problem.reason != "SyntaxError":
        help_ = "see docs/flow_api.md for the two forms of a handler"
        return Finding("E102", line, problem.column or 1, problem.what, help_, line)
    help_ = problem.hint or "mend this line, or the one before it"
    return Finding("E101", line, problem.column or 1, problem.what, help_, line)


def _not_installed(script: Script) -> Iterator[Finding]:
    """W115: modules that are neither Python's nor come with the runner."""
    for node in script.nodes:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [node.module]
        else:
            continue
        if any(isinstance(above, ast.Try) for above in script.above(node)):
            continue  # it is prepared for that
        for module in modules:
            top = module.partition(".")[0]
            if top not in INSTALLED and top not in sys.stdlib_module_names:
                yield finding(
                    "W115",
                    node,
                    f"the runner has no module `{top}`",
                    "name its package in the Flow's `requirements`",
                )


def _kept(found: list[Finding], script: str) -> list[Finding]:
    """Drop what a comment `# noqa` or `# noqa: W101` excuses. Errors are not excused."""
    excused = dict(_excuses(script))

    def is_excused(one: Finding) -> bool:
        for line in {one.line, one.last_line}:
            codes = excused.get(line)
            if codes is not None and (not codes or one.code in codes):
                return True
        return False

    return [one for one in found if not is_excused(one)]


def _excuses(script: str) -> Iterator[tuple[int, Collection[str]]]:
    """Yield lines with such a comment, and its codes; none stand for all."""
    try:
        for token in tokenize.generate_tokens(io.StringIO(script).readline):
            if token.type == tokenize.COMMENT and (match := _NOQA.search(token.string)):
                codes = re.findall(r"[A-Z]\d+", (match["codes"] or "").upper())
                yield token.start[0], frozenset(codes)
    except (tokenize.TokenError, SyntaxError):  # what Python compiles, tokenize may not like
        return
