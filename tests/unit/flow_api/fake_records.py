"""A stand-in for the records of a namespace: a setting, a file, a flow, and what is saved."""

from __future__ import annotations

import base64
from typing import Any

from weir_protocol import Answer, ErrorInfo


class RecordsDouble:
    """Keeps records. Locks are free, but for one that is called `taken`."""

    KINDS = frozenset(
        {
            "acquire",
            "delete_record",
            "get_record",
            "list_records",
            "release",
            "save_record",
            "validate",
        }
    )

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], dict[str, Any]] = {
            ("setting", "limits"): {"name": "limits", "value": {"rows": 100}, "description": None},
            ("file", "report.txt"): _file("report.txt", b"all well"),
            ("flow", "greet"): {"name": "greet", "is_enabled": True, "script": "…"},
            ("schedule", "nightly"): {
                "name": "nightly",
                "cron": "0 3 * * *",
                "time_zone": "Europe/Vienna",
            },
            ("webhook", "push"): {
                "name": "push",
                "path": "/hooks/team/push",
                "is_enabled": False,
                "is_key_required": True,
            },
        }

    def perform(self, kind: str, arguments: Any) -> Answer:
        answer: Answer = getattr(self, f"_{kind}")(arguments)
        return answer

    def _get_record(self, arguments: Any) -> Answer:
        found = self.kept.get((arguments.kind, arguments.name))
        if found is None:
            return _failed(
                "ResourceNotFoundError", f"there is no {arguments.kind} {arguments.name!r}"
            )
        if not arguments.content:
            found = {key: value for key, value in found.items() if key != "content"}
        return Answer(state="done", value=dict(found))

    def _save_record(self, arguments: Any) -> Answer:
        key = (arguments.kind, arguments.name)
        fields = {"name": arguments.name, **self.kept.get(key, {}), **arguments.fields}
        if arguments.kind == "file":
            fields = _file(arguments.name, base64.b64decode(fields["content"]))
        self.kept[key] = fields
        shown = {name: value for name, value in fields.items() if name != "content"}
        return Answer(state="done", value=shown)

    def _delete_record(self, arguments: Any) -> Answer:
        if self.kept.pop((arguments.kind, arguments.name), None) is None:
            return _failed("ResourceNotFoundError", "there is none")
        return Answer(state="done")

    def _list_records(self, arguments: Any) -> Answer:
        names = sorted(name for kind, name in self.kept if kind == arguments.kind)
        return Answer(state="done", value=names)

    def _acquire(self, arguments: Any) -> Answer:
        if arguments.name == "taken":
            return _failed("LockTimeoutError", "lock 'taken' is held by execution other")
        self.kept.setdefault(("setting", arguments.name), {"name": arguments.name, "value": None})
        return Answer(state="done")

    def _release(self, _arguments: Any) -> Answer:
        return Answer(state="done")

    def _validate(self, arguments: Any) -> Answer:
        schema = self.kept[("schema", arguments.name)]["value"]
        missing = [key for key in schema["required"] if key not in arguments.value]
        if not missing:
            return Answer(state="done", value=arguments.value if arguments.coerce else None)
        return _failed(
            "SchemaValidationError",
            f"value: lacks {', '.join(missing)} (schema {arguments.name!r})",
        )


def _file(name: str, content: bytes) -> dict[str, Any]:
    size = {"content_size_bytes": len(content), "size_bytes": len(content)}
    return {"name": name, "content": base64.b64encode(content).decode(), **size}


def _failed(type_: str, message: str) -> Answer:
    return Answer(state="failed", error=ErrorInfo(type=type_, message=message))
