"""Third-party modules that a Flow asks for: whether each line is one that can be installed."""

from collections.abc import Sequence

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

_MAX_LINE = 500


def problem_with(lines: Sequence[str]) -> str | None:
    """Return what is wrong with the first line that is no PEP 508 requirement, or None."""
    seen: dict[str, str] = {}
    for line in lines:
        if len(line) > _MAX_LINE:
            return f"{line[:60]!r}… has more than {_MAX_LINE} characters"
        if line.lstrip().startswith("-"):
            return f"{line!r} is an option, not a requirement such as 'requests>=2.32'"
        try:
            one = Requirement(line)
        except InvalidRequirement as error:
            why = str(error).splitlines()[0]
            return f"{line!r} is no requirement such as 'requests>=2.32': {why}"
        name = canonicalize_name(one.name)
        if name in seen and one.marker is None:
            return f"{line!r} asks for what {seen[name]!r} asks for already"
        if one.marker is None:
            seen[name] = line
    return None
