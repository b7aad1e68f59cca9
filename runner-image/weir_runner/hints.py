"""What an author probably meant: a hint after the traceback of a common mistake. Imported only when
a run fails.

Nothing of the script's is called here, and nothing here may fail: a hint is a courtesy.
"""

from __future__ import annotations

import builtins
import errno
import re
import sys
import types
from collections.abc import Callable
from typing import Any

from flow_api import Execution, System
from flow_api._fields import READABLE, WRITABLE
from weir_runner import spelling, tracebacks
from weir_runner.lookups import missing_key

# A longer one stands in the log only; so does one that would make the message longer than that.
MAX_IN_MESSAGE = 160

# Modules that come in packages of another name.
_PACKAGES = {
    "bs4": "beautifulsoup4",
    "Crypto": "pycryptodome",
    "cv2": "opencv-python",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "git": "gitpython",
    "ldap": "python-ldap",
    "MySQLdb": "mysqlclient",
    "OpenSSL": "pyopenssl",
    "PIL": "pillow",
    "psycopg2": "psycopg2-binary",
    "serial": "pyserial",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
}


def hint(error: BaseException, filename: str) -> str:
    """Return what would probably mend the script, in one line; empty if nothing comes to mind.

    Parameters:
        error: What the script let go, with its traceback.
        filename: How the script's frames are named.
    """
    try:
        for kind, suggest in _SUGGESTIONS:
            if isinstance(error, kind):
                found = suggest(error, filename)
                if found:
                    return " ".join(found.split())
    except BaseException:  # classes of the script's may do anything when they are looked at
        return ""
    return ""


def in_message(message: str, found: str) -> str:
    """Return the message with the hint behind it, if both are short enough for a status."""
    text = f"{message}; hint: {found}"
    short = len(found) <= MAX_IN_MESSAGE and len(text) <= tracebacks.MAX_MESSAGE
    return text if found and short else message


def in_log(text: str, found: str) -> str:
    """Return the text of the log with the hint in a line of its own."""
    return f"{text}\nhint: {found}" if found else text


def _of_attribute(error: AttributeError, _filename: str) -> str | None:
    name, owner = error.name, error.obj
    if name is None or owner is None or re.search("setting new|read-only", str(error)):
        return _of_set_attribute(error)
    if isinstance(owner, types.ModuleType):
        near = spelling.close_to(name, [key for key in vars(owner) if key[:1] != "_"])
        return near and f"did you mean `{owner.__name__}.{near}`?"
    if type(owner) is dict and name in owner:
        return f"a dict's entries are read by `[{name!r}]`"
    if isinstance(owner, Execution):
        said = "this" if owner._own else "child"
        if not owner._own and spelling.field(name, READABLE) == "output_value":
            return "a child's outputs are `child.get('output_value')`"
        if name in _public(System):
            return f"did you mean `system.{name}(…)`?"
        meant = spelling.attribute(name, _public(Execution), READABLE)
        return meant and f"did you mean `{said}.{meant}`?"
    if type(owner).__module__.partition(".")[0] == "flow_api":
        if name in ("run", "run_async", "start", "wait") and not isinstance(owner, System):
            return "`system` has records only: a flow is run by `this.flow('its name')`"
        if isinstance(owner, System) and name in _public(Execution) - _public(System):
            return f"did you mean `this.{name}(…)`?"
        near = spelling.close_to(name, _public(type(owner)))
        said = "system." if isinstance(owner, System) else "."
        return near and f"did you mean `{said}{near}`?"
    return None


def _of_set_attribute(error: AttributeError) -> str | None:
    """Assigning to what an Execution has not. Python 3.11 does not say to what object."""
    found = re.match(r"'Execution' object (?:has no )?attribute '(\w+)'", str(error))
    field = found and spelling.field(found[1], WRITABLE)
    if field == "output_value":
        return "outputs are set by `this.set_output('key', value)`"
    return f"fields are set by `this.save({field}=…)`" if field else None


def _of_name(error: NameError, filename: str) -> str | None:
    name, frame = error.name, tracebacks.frame_of(error, filename)
    if name is None or frame is None or isinstance(error, UnboundLocalError):
        return None
    if name in ("this", "system"):
        return f"`{name}` is known in `handler` only: hand it on as an argument"
    if name == "inputs":
        return "take them as a third parameter: `def handler(system, this, inputs)`"
    known = {*frame.f_locals, *frame.f_globals, *vars(builtins)}
    near = spelling.close_to(name, [word for word in known if not word.startswith("_")])
    if name == "flow_api" or (name in sys.stdlib_module_names and near != name):
        return f"write `import {name}` at the top of the script"
    return near and f"did you mean `{near}`?"


def _of_type(error: TypeError, _filename: str) -> str | None:
    text = str(error)
    if found := re.match(r"(\w+\.(\w+))\(\) (missing|got|takes|was given) ", text):
        return _of_call(found[1], found[2], text)
    if re.search(r"'Execution' object (is not (subscriptable|iterable)|does not support)", text):
        return "a run's outputs are `child.get('output_value')['key']`"
    if "argument of type 'Execution' is not iterable" in text:
        return "a run's outputs are `child.get('output_value')`"
    if re.search(r"[Ee]xecution\b.*'await' expression", text):
        return "leave `await` out: calls of flow_api wait by themselves"
    if found := re.match(r"Object of type (\w+) is not JSON serializable", text):
        from weir_runner import conversions

        way = conversions.way_for(found[1])
        return way and f"convert a {found[1]} by {way}"
    return None


def _of_call(qualified: str, name: str, text: str) -> str | None:
    """A call of flow_api with other arguments than it takes."""
    import inspect

    function = _function(qualified, name)
    if function is None:
        return None
    owner = qualified.partition(".")[0]
    call = f"{ {'Execution': 'this', 'System': 'system'}.get(owner, '…') }.{name}"
    if name == "flow" and "missing" in text:
        return "name the flow first: `this.flow('greet', person='Ada')`"
    _self, *parameters = inspect.signature(function).parameters.values()
    if found := re.search(r"unexpected keyword argument '(\w+)'", text):
        names = [
            one.name
            for one in parameters
            if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY)
        ]
        near = spelling.close_to(found[1], names)
        if near is not None:
            return f"did you mean `{near}=`?"
    plain = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    return f"it is called as `{call}{inspect.Signature(plain)}`"


def _function(qualified: str, name: str) -> types.FunctionType | None:
    """Return the function of flow_api that Python calls so."""
    for module, content in list(sys.modules.items()):
        if module.partition(".")[0] == "flow_api":
            for one in list(vars(content).values()):
                for base in one.__mro__ if isinstance(one, type) else ():
                    found = vars(base).get(name)
                    if isinstance(found, types.FunctionType) and found.__qualname__ == qualified:
                        return found
    return None


def _of_not_json(error: TypeError, _filename: str) -> str | None:
    from flow_api import _values
    from weir_runner import conversions

    if not isinstance(error, _values.NotJsonError):
        return None
    frame = tracebacks.frame_of(error, _values.__file__)
    if frame is None or "value" not in frame.f_locals:
        return None
    if "keys in JSON are text" in str(error):
        return "make the keys text: `{str(key): value for key, value in ….items()}`"
    value = frame.f_locals["value"]
    way = conversions.way_of(value)
    if way is None or isinstance(value, dict | list | tuple):
        return None
    kind = type(value).__name__
    return f"convert {'an' if kind[:1] in 'aeiouAEIOU' else 'a'} {kind} by {way}"


def _of_value(error: ValueError, _filename: str) -> str | None:
    text = str(error)
    if found := re.match(r"an execution has no field '(\w+)'; it has", text):
        near = spelling.field(found[1], READABLE)
        return near and f"did you mean {near!r}?"
    if found := re.match(r"a script cannot set '(\w+)'; it can set", text):
        if found[1] == "status":
            return "a run ends by `this.success(…)` or `this.error(…)`"
        near = spelling.field(found[1], WRITABLE)
        return near and f"did you mean {near!r}?"
    return None


def _of_import(error: ImportError, _filename: str) -> str | None:
    top, _, rest = (error.name or "").partition(".")
    if top == "flow_api":
        found = re.search(r"cannot import name '(\w+)'", str(error))
        module = sys.modules[top]
        near = spelling.close_to(found[1] if found else rest, module.__all__)
        return near and f"did you mean `{near}`?"
    if not isinstance(error, ModuleNotFoundError) or not top or top in sys.stdlib_module_names:
        return None
    near = spelling.close_to(top, sys.stdlib_module_names, 0.85)
    brought = f"packages come by the Flow's `requirements: [{_PACKAGES.get(top, top)}]`"
    return f"{brought}; or did you mean `{near}`?" if near else brought


def _of_file(error: OSError, _filename: str) -> str | None:
    if error.errno == errno.EROFS:
        return "only /tmp can be written to, and it goes with the Pod"
    return None


def _of_end_of_input(error: EOFError, _filename: str) -> str | None:
    if "reading a line" not in str(error):
        return None
    asks = "ask people by `this.message(…)`, or " if hasattr(Execution, "message") else ""
    return f"nobody sits at a run: {asks}take an input of the flow"


def _of_syntax(error: SyntaxError, filename: str) -> str | None:
    if error.filename != filename:
        return None
    from weir_protocol import scripts

    return scripts.syntax_hint(error.msg or "")


def _public(kind: type) -> set[str]:
    return {name for name in dir(kind) if not name.startswith("_")}


# In this order: the first that knows something speaks.
_SUGGESTIONS: tuple[tuple[type[BaseException], Callable[[Any, str], str | None]], ...] = (
    (KeyError, missing_key),
    (AttributeError, _of_attribute),
    (NameError, _of_name),
    (TypeError, _of_not_json),
    (TypeError, _of_type),
    (ValueError, _of_value),
    (ImportError, _of_import),
    (OSError, _of_file),
    (EOFError, _of_end_of_input),
    (SyntaxError, _of_syntax),
)
