"""The inputs of a run, from the command line and from files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn

from weir.api.execution import MAX_INLINE_INPUTS
from weir.api.resource import JsonObject
from weir.cli.errors import CliError
from weir_protocol import scripts


def gather(
    pairs: Iterable[str], file_pairs: Iterable[str] = (), whole: Path | None = None
) -> JsonObject:
    """Return the inputs: those of the file `whole`, overridden by `name=path` and `name=value`.

    Raises CliError for what cannot be read, is no object, or is too large for an Execution.
    """
    inputs = read_object(whole) if whole else {}
    for pair in file_pairs:
        name, path = _split(pair, "--input-file", "name=path")
        inputs[name] = _read_value(Path(path))
    for pair in pairs:
        name, text = _split(pair, "--input", "name=value")
        inputs[name] = value(text)
    size = len(json.dumps(inputs, ensure_ascii=False).encode())
    if size > MAX_INLINE_INPUTS:
        raise CliError(
            f"the inputs are {size // 1024} KiB as JSON; an Execution holds "
            f"{MAX_INLINE_INPUTS // 1024} KiB: let the flow fetch the data instead"
        )
    return inputs


def value(text: str) -> Any:
    """Return what a text on the command line means: a JSON value, else the text itself."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError:
        return text


def script_in(path: Path, called: str, *, unreadable: str | None = None) -> str:
    """Return the script in a file.

    Messages begin with what it is `called`; that it cannot be read, with `unreadable`, if given.
    Raises CliError for one that cannot be read or run.
    """
    try:
        script = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise CliError(f"{unreadable or called}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CliError(f"{called} is no text in UTF-8") from None
    problem = scripts.problem_with(script)
    if problem is not None:
        raise CliError(f"{called}: {problem.reason}: {problem.message}")
    return script


def read_object(path: Path) -> JsonObject:
    """Return the object in a JSON or YAML file. Raises CliError."""
    text = _text(path)
    found: object
    if path.suffix.lower() == ".json":
        found = _json(text, path)
    else:
        import yaml  # 1. Not needed for most runs. 2. YAML is a superset of JSON.

        try:
            found = yaml.safe_load(text)
        except yaml.YAMLError as error:
            reason = " ".join(str(error).split())
            raise CliError(f"{path} is neither YAML nor JSON: {reason}") from None
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        raise CliError(f"{path} must hold an object whose keys are texts: `name: value` lines")
    try:
        plain: JsonObject = json.loads(json.dumps(found, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise CliError(f"{path} holds a value that JSON has not ({error}): quote it") from None
    return plain


def _read_value(path: Path) -> Any:
    text = _text(path)
    return _json(text, path) if path.suffix.lower() == ".json" else text


def _json(text: str, path: Path) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse)
    except ValueError as error:
        raise CliError(f"{path} is no JSON: {error}") from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise CliError(f"{path} is no UTF-8 text: encode it, for example in base64") from None


def _split(pair: str, option: str, form: str) -> tuple[str, str]:
    name, equals, rest = pair.partition("=")
    if not equals or not name:
        raise CliError(f"{option} {pair!r}: write {form}")
    return name, rest


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"JSON has no {constant}")
