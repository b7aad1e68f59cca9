"""The pages of docs/ name what there is: every field of the resources, every call, every option."""

import dataclasses
import re
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel
from typer.main import get_command

import flow_api
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.message import Message
from weir.api.phases import Phase
from weir.api.reasons import Reason
from weir.api.repository import FlowRepository
from weir.api.resource import Condition, Resource
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook
from weir.cli.errors import ExitCode
from weir.cli.main import app
from weir_connectors import registry
from weir_protocol import scripts

DOCS = Path(__file__).parents[3] / "docs"
PAGES: dict[type[Resource], str] = {
    Flow: "flows.md",
    Execution: "executions.md",
    Connector: "connectors.md",
    Message: "messages.md",
    Setting: "settings.md",
    Schema: "schemas.md",
    Schedule: "schedules.md",
    Webhook: "webhooks.md",
    FlowRepository: "repositories.md",
}


def page(name: str) -> str:
    return (DOCS / name).read_text()


def code(text: str) -> set[str]:
    """Return the words that stand in the page as code."""
    blocks = re.findall(r"```.*?```", text, re.DOTALL)
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL))
    return set(re.findall(r"[A-Za-z_][A-Za-z0-9_]*|--?[A-Za-z][a-z-]*", " ".join(blocks + spans)))


def models_in(annotation: Any) -> list[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in models_in(part)]


def fields(model: type[BaseModel]) -> set[str]:
    """Return the names of a model's fields, and of all models in it, as the API has them."""
    found: set[str] = set()
    for name, field in model.model_fields.items():
        found.add(field.alias or name)
        for inner in models_in(field.annotation):
            # What conditions and tolerations hold is Kubernetes' own, and explained there.
            if inner is not Condition and inner.__name__ != "Toleration":
                found |= fields(inner)
    return found


@pytest.mark.parametrize(
    ("resource", "part"),
    [(kind, part) for kind in PAGES for part in ("spec", "status") if part in kind.model_fields],
)
def test_a_resources_page_names_every_field(resource: type[Resource], part: str) -> None:
    model = resource.model_fields[part].annotation
    assert isinstance(model, type)
    assert issubclass(model, BaseModel)
    # `optional` is Kubernetes' own, of keys of Secrets and ConfigMaps.
    assert fields(model) - {"optional"} - code(page(PAGES[resource])) == set()


@pytest.mark.parametrize("resource", PAGES, ids=lambda resource: resource.KIND)
def test_a_resources_page_has_the_same_outline(resource: type[Resource]) -> None:
    headings = re.findall(r"^## (.*)$", page(PAGES[resource]), re.MULTILINE)
    article = "an" if resource is Execution else "a"
    several = re.sub("ys$", "ies", f"{resource.KIND}s")
    assert headings == [
        "Example",
        f"Writing {article} {resource.KIND}",
        f"Working with {several}",
        "Status",
    ]


def test_the_executions_page_names_every_phase() -> None:
    assert {str(phase) for phase in Phase} <= code(page("executions.md"))


def test_every_reason_is_explained() -> None:
    pages = set().union(*(code(page(name)) for name in PAGES.values()))
    assert {str(reason) for reason in Reason} - pages == set()


@pytest.mark.parametrize("name", registry._OWN)
def test_the_connectors_page_names_every_input_of_a_type(name: str) -> None:
    inputs = {one.name for one in dataclasses.fields(registry.input_model(name))}
    assert inputs - code(page("connectors.md")) == set()


def test_the_flow_api_page_names_every_name() -> None:
    words = code(page("flow_api.md"))
    calls = {name for name in dir(flow_api.Execution) if not name.startswith("_")}
    assert calls - words == set()
    assert set(flow_api.__all__) - {"exceptions", "ReturnWhen"} - words == set()
    assert {str(way) for way in flow_api.ReturnWhen} <= words


def test_the_flow_api_page_promises_nothing_that_is_not_there() -> None:
    called = set(re.findall(r"`(?:this|e)\.(\w+)\(", page("flow_api.md")))
    assert called <= {name for name in dir(flow_api.Execution) if not name.startswith("_")}


def test_the_commands_page_names_every_verb_and_option() -> None:
    words = code(page("cli.md"))
    root: Any = get_command(app)
    for name, verb in root.commands.items():
        assert name in words
        for parameter in verb.params:
            for option in parameter.opts:
                if option.startswith("-"):
                    assert option in words, f"{name} {option}"


def test_the_commands_page_names_every_exit_code() -> None:
    table = re.findall(r"^\| (\d+) \|", page("cli.md"), re.MULTILINE)
    assert [int(code) for code in table] == [int(code) for code in ExitCode]


@pytest.mark.parametrize(
    "name",
    [
        *PAGES.values(),
        "cli.md",
        "flow_api.md",
        "linting.md",
        "operations.md",
        "security.md",
        "testing.md",
        "../README.md",
    ],
)
def test_links_between_pages_lead_somewhere(name: str) -> None:
    for target, anchor in re.findall(r"\]\(([\w./-]*)(?:#([\w-]+))?\)", page(name)):
        text = ((DOCS / name).parent / target).read_text() if target else page(name)
        if anchor:
            headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in headings}
            assert anchor in anchors, f"{target}#{anchor}"


@pytest.mark.parametrize("name", PAGES.values())
def test_the_manifests_in_a_page_are_good(name: str) -> None:
    models = {model.KIND: model for model in PAGES}
    found = re.findall(r"```yaml\n(.*?)```", page(name), re.DOTALL)
    assert found
    for block in found:
        for item in yaml.safe_load_all(block):
            if item["kind"] not in models:
                continue
            item["metadata"].setdefault("name", "made")  # generateName
            resource = models[item["kind"]].model_validate(item)
            assert item["spec"].keys() <= resource.dump()["spec"].keys()
            if isinstance(resource, Flow):
                assert scripts.problem_with(resource.spec.script) is None


@pytest.mark.parametrize("name", ["flow_api.md", "connectors.md"])
def test_the_scripts_in_a_page_can_be_compiled(name: str) -> None:
    for block in re.findall(r"```python\n(.*?)```", page(name), re.DOTALL):
        compile(block, name, "exec")
