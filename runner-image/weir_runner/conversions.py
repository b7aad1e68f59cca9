"""How a value that JSON cannot hold becomes one that it can."""

from __future__ import annotations

from typing import Any

_TEXT = "str(…)"
_LIST = "list(…)"

# By the names of types: most are not imported here, and need not be in the run.
_WAYS = {
    "bytes": ".decode() if it is text, base64.b64encode(…).decode() if not",
    "bytearray": ".decode() if it is text, base64.b64encode(…).decode() if not",
    "complex": "[….real, ….imag]",
    "DataFrame": ".to_dict('records')",
    "date": ".isoformat()",
    "datetime": ".isoformat()",
    "Decimal": "str(…), or float(…) if it need not be exact",
    "Execution": ".get('output_value'), or .get('id')",
    "Fraction": "float(…), or str(…)",
    "frozenset": "sorted(…)",
    "Match": ".group()",
    "memoryview": "bytes(…).decode()",
    "Namespace": "vars(…)",
    "ndarray": ".tolist()",
    "Response": ".json(), or .text",
    "Series": ".tolist()",
    "set": "sorted(…)",
    "SimpleNamespace": "vars(…)",
    "time": ".isoformat()",
    "timedelta": ".total_seconds()",
    "Timestamp": ".isoformat()",
    "UUID": _TEXT,
    **dict.fromkeys(("Path", "PosixPath", "PurePath", "PurePosixPath", "ZoneInfo"), _TEXT),
    **dict.fromkeys(("IPv4Address", "IPv6Address", "IPv4Network", "IPv6Network"), _TEXT),
    **dict.fromkeys(("dict_keys", "dict_values", "dict_items", "range", "deque"), _LIST),
    **dict.fromkeys(("generator", "map", "filter", "zip", "enumerate", "reversed"), _LIST),
    **dict.fromkeys(("int32", "int64", "float32", "float64", "bool_"), ".item()"),
    **dict.fromkeys(("function", "method", "builtin_function_or_method"), "calling it: …()"),
}


def way_for(name: str) -> str | None:
    """Return how a value of the type of that name is converted, such as `.isoformat()`."""
    return _WAYS.get(name)


def way_of(value: Any) -> str | None:
    """Return how this value is converted. Runs no code of the value's class."""
    import enum

    kind = type(value)
    for base in kind.__mro__:
        if base.__name__ in _WAYS:
            return _WAYS[base.__name__]
    if issubclass(kind, enum.Enum):
        return ".value"
    if hasattr(kind, "__dataclass_fields__"):
        return "dataclasses.asdict(…)"
    if hasattr(kind, "model_dump"):
        return ".model_dump(mode='json')"
    if issubclass(kind, BaseException):
        return _TEXT
    if hasattr(kind, "keys") and hasattr(kind, "__getitem__"):
        return "dict(…)"
    if hasattr(kind, "__iter__"):
        return _LIST
    return None
