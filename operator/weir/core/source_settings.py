"""A JSON or YAML file as a Setting with its value."""

from __future__ import annotations

from weir.api import names
from weir.api.setting import Setting
from weir.core import source_yaml
from weir.core.source_objects import Found, checked_spec, require_usable
from weir.core.sources import stem_of, text_of


def setting_in(path: str, content: bytes, namespace: str) -> Found:
    """Return the Setting whose value a file is, called as the file is. Raises NotTaken."""
    text = text_of(content)
    if path.endswith(".json"):
        value = source_yaml.json_value(text)
    else:
        value = source_yaml.one_document(text, "a Setting")
    stem = stem_of(path)
    name = names.record_name(stem)
    title = {"title": stem} if stem != name else {}
    spec = checked_spec(Setting.KIND, {"value": value, **title})
    require_usable(Setting.KIND, name, namespace, spec)
    return Found(Setting.KIND, name, spec, hint=" by renaming its file")
