"""The generated CRDs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from weir.api.resource import JsonObject, Resource
from weir.crds import KINDS, definition, render, structural

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
def test_the_committed_files_are_fresh(kind: type[Resource]) -> None:
    assert (ROOT / "crds" / f"{kind.PLURAL}.yaml").read_text() == render(kind)
    chart = ROOT / "charts/weir/templates/crds" / f"{kind.PLURAL}.yaml"
    assert chart.read_text() == render(kind, chart=True)


def fields(schema: JsonObject, path: str = "") -> Iterator[tuple[str, JsonObject]]:
    for name, field in schema.get("properties", {}).items():
        yield f"{path}.{name}", field
        yield from fields(field, f"{path}.{name}")
        yield from fields(field.get("items", {}), f"{path}.{name}[]")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.KIND)
def test_every_field_is_described(kind: type[Resource]) -> None:
    schema = definition(kind)["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    own = {path: field for path, field in fields(schema) if path.startswith((".spec", ".status"))}
    assert not [path for path, field in own.items() if not field.get("description")]


def test_a_union_without_structural_form_is_an_error() -> None:
    with pytest.raises(ValueError, match="no structural form"):
        structural({"anyOf": [{"type": "string"}, {"type": "object"}]}, {})


def test_an_optional_field_is_simply_not_required() -> None:
    schema = structural({"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null"}]}, {})
    assert schema == {"type": "string", "maxLength": 3}
