"""What people write, and what flow_api calls it: for hints at run time, and for `weir lint`."""

from __future__ import annotations

from collections.abc import Collection

# Words for a call of an Execution that come from elsewhere: other versions, other tools.
_CALLS = {
    "abort": "cancel",
    "ask": "message",
    "call": "flow",
    "complete": "success",
    "connection": "connect",
    "debug": "log",
    "done": "success",
    "execute": "flow",
    "execution": "flow",
    "fail": "error",
    "failure": "error",
    "finish": "success",
    "info": "log",
    "input": "message",
    "join": "wait",
    "kill": "cancel",
    "logger": "log",
    "print": "log",
    "request": "connect",
    "rest": "connect",
    "retry": "using",
    "run_flow": "flow",
    "start": "run_async",
    "stop": "cancel",
    "succeed": "success",
    "subflow": "flow",
    "terminate": "cancel",
    "trigger": "flow",
    "warning": "log",
}

# Words for a field of an Execution.
_FIELDS = {
    "created": "created_at",
    "ended": "ended_at",
    "error": "message",
    "flow": "flow_name",
    "get_input": "input_value",
    "get_inputs": "input_value",
    "get_output": "output_value",
    "get_outputs": "output_value",
    "input": "input_value",
    "inputs": "input_value",
    "output": "output_value",
    "outputs": "output_value",
    "parameters": "input_value",
    "parent": "parent_id",
    "result": "output_value",
    "results": "output_value",
    "schedule": "schedule_name",
    "schedule_time": "scheduled_for",
    "scheduled": "scheduled_for",
    "scheduled_at": "scheduled_for",
    "scheduled_time": "scheduled_for",
    "started": "started_at",
    "state": "status",
    "status_message": "message",
    "title": "name",
    "uid": "id",
    "value": "output_value",
    "webhook": "webhook_name",
}


def close_to(name: str, names: Collection[str], alike: float = 0.75) -> str | None:
    """Return the one of the names that was probably meant; `alike` is difflib's ratio."""
    import difflib

    if not isinstance(name, str) or len(name) > 100:
        return None
    by_lower = {known.lower(): known for known in names if isinstance(known, str)}
    if name.lower() in by_lower:
        return by_lower[name.lower()]
    found = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=alike)
    return by_lower[found[0]] if found else None


def field(name: str, fields: Collection[str]) -> str | None:
    """Return the field of an Execution that was probably meant."""
    meant = _FIELDS.get(name)
    return meant if meant in fields else close_to(name, fields)


def attribute(name: str, calls: Collection[str], fields: Collection[str]) -> str | None:
    """Return what to write instead of an attribute that an Execution does not have, without the dot
    before it, such as `get('output_value')`.

    Parameters:
        name: The attribute.
        calls: The public names of an Execution.
        fields: Its fields.
    """
    if name in fields:
        return f"get({name!r})"
    for word, known in ((_FIELDS.get(name), fields), (_CALLS.get(name), calls)):
        if word in known:
            return f"get({word!r})" if known is fields else f"{word}(…)"
    near = close_to(name, calls)
    if near is not None:
        return f"{near}(…)"
    near = close_to(name, fields)
    return None if near is None else f"get({near!r})"
