"""Errors of a script as its author is to see them: the script's own lines, and one line that says
it all.
"""

from __future__ import annotations

import linecache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import traceback
    import types

# The message of a status is shown in a table; the whole error stands in the log.
MAX_MESSAGE = 1000


def register(script: str, filename: str) -> None:
    """Let tracebacks quote the script, which is no file."""
    lines = script.splitlines(keepends=True)
    # As linecache does it for files: the marks under a line without an end would be one off.
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    linecache.cache[filename] = (len(script), None, lines, filename)


def message(error: BaseException, filename: str) -> str:
    """Return the error in a line, such as `ValueError: boom (line 12)`."""
    text = text_of(error)
    if isinstance(error, SyntaxError) and error.filename == filename and error.lineno:
        where = f"line {error.lineno}, column {error.offset or 1}"
        text = text_of(error.msg or text)  # a script may have put anything there
    else:
        line = line_of(error, filename)
        where = f"line {line}" if line else ""
    name = type(error).__name__
    text = f"{name}: {shortened(text)}" if text else name
    return f"{text} ({where})" if where else text


def line_of(error: BaseException, filename: str) -> int | None:
    """Return the script's innermost line that the error came through, if any."""
    entry = _innermost(error, filename)
    return entry and entry.tb_lineno


def frame_of(error: BaseException, filename: str) -> types.FrameType | None:
    """Return the script's innermost frame that the error came through, if any."""
    entry = _innermost(error, filename)
    return entry and entry.tb_frame


def _innermost(error: BaseException, filename: str) -> types.TracebackType | None:
    found, entry = None, error.__traceback__
    while entry is not None:
        if entry.tb_frame.f_code.co_filename == filename:
            found = entry
        entry = entry.tb_next
    return found


def text_of(error: object) -> str:
    """Return what the error says; its own `__str__` may fail."""
    try:
        return str(error)
    except BaseException as failure:  # a signal of the life cycle as well
        return f"<no text: its __str__ raised {type(failure).__name__}>"


def shortened(text: str) -> str:
    """Return a text in one line that is not too long for a status."""
    line = " ".join(text[: 4 * MAX_MESSAGE].split())
    return line if len(line) <= MAX_MESSAGE else f"{line[:MAX_MESSAGE]}…"


def script_lines(error: BaseException, filename: str) -> str:
    """Return the error's traceback with the script's frames only; all frames where it has none."""
    try:
        return _script_lines(error, filename)
    except BaseException as failure:  # what an error holds may be anything, its notes for example
        reason = f"showing it raised {type(failure).__name__}"
        return f"{message(error, filename)}\n<no traceback: {reason}>"


def syntax_error(error: BaseException, filename: str) -> str:
    """Return what a script that cannot be compiled gets for a traceback: the line, with its place
    marked. Only errors that name a place have more to say than their message.
    """
    import traceback

    if not isinstance(error, SyntaxError) or not error.lineno:
        return message(error, filename)
    if error.text is None:  # found after parsing: Python looks for the line in a file
        error.text = linecache.getline(filename, error.lineno)
    return "".join(traceback.format_exception_only(error)).rstrip("\n")


def _script_lines(error: BaseException, filename: str) -> str:
    import traceback  # only failures need it

    whole = traceback.TracebackException.from_exception(error, compact=True)
    if any(frame.filename == filename for frame in whole.stack):
        _keep_only(whole, filename)
    return "".join(whole.format()).rstrip("\n")


def _keep_only(whole: traceback.TracebackException, filename: str) -> None:
    """Drop other frames, also of the errors behind the error. No recursion: a chain may be long."""
    seen: set[int] = set()
    waiting: list[traceback.TracebackException | None] = [whole]
    while waiting:
        shown = waiting.pop()
        if shown is None or id(shown) in seen:
            continue
        seen.add(id(shown))
        _drop_frames(shown, filename)
        # An error that a library raised and handled in its own code is the library's affair.
        while (behind := shown.__context__) is not None and not _passed(behind, filename):
            shown.__context__ = behind.__context__
        waiting += [shown.__cause__, shown.__context__, *(shown.exceptions or ())]


def _passed(error: traceback.TracebackException, filename: str) -> bool:
    """Whether the error, or one of its group, came by the script."""
    if any(frame.filename == filename for frame in error.stack or ()):
        return True
    return any(_passed(inner, filename) for inner in error.exceptions or ())


def _drop_frames(shown: traceback.TracebackException, filename: str) -> None:
    import traceback

    frames = [frame for frame in shown.stack or () if frame.filename == filename]
    # Without frames there is nothing to head with "Traceback (most recent call last)".
    shown.stack = traceback.StackSummary.from_list(frames) if frames else None  # type: ignore[assignment]
