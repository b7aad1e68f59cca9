"""The manifests in examples/ as far as they can be checked without a cluster; and their data."""

import ast
import csv
import re
from typing import Any

import pytest
import yaml

from demo.examples import FOLDER, SERVICES, expectations, manifest, services_of
from demo.repository import FLOWS as SERVED
from demo.services import Service
from tests.unit.cli.fake import execution
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.repository import FlowRepository
from weir.api.resource import JsonObject
from weir.api.schedule import Schedule
from weir.api.webhook import Webhook
from weir.core.lookup import Catalog
from weir.core.readiness import READY, check_connector
from weir.core.schedules import check
from weir_protocol import schemas, scripts

MODELS: dict[str, type[Flow | Execution | Connector | Schedule | Webhook | FlowRepository]] = {
    "Flow": Flow,
    "Execution": Execution,
    "Connector": Connector,
    "Schedule": Schedule,
    "Webhook": Webhook,
    "FlowRepository": FlowRepository,
}
FILES = sorted(file.name for file in FOLDER.glob("*.yaml") if file.name != "expected.yaml")


def documents(file: str) -> list[JsonObject]:
    return list(yaml.safe_load_all((FOLDER / file).read_text()))


def flows() -> dict[str, Flow]:
    found = [item for file in FILES for item in documents(file) if item["kind"] == "Flow"]
    return {item["metadata"]["name"]: Flow.model_validate(item) for item in found}


@pytest.mark.parametrize("file", FILES)
def test_an_example_says_what_it_is_and_can_be_run(file: str) -> None:
    assert (FOLDER / file).read_text().startswith("# ")
    kinds = [item["kind"] for item in documents(file)]
    assert "Execution" in kinds
    assert "Flow" in kinds or "FlowRepository" in kinds
    assert set(kinds) <= {*MODELS, "Secret"}
    for item in documents(file):
        if item["kind"] == "Flow":
            assert scripts.problem_with(item["spec"]["script"]) is None
        elif item["kind"] == "Connector":
            assert check_connector(Connector.model_validate(item), Catalog(), []) == READY
        elif item["kind"] == "Execution":
            brought = SERVED if "FlowRepository" in kinds else ()
            assert Execution.model_validate(item).spec.flow in {*flows(), *brought}
        elif item["kind"] == "Schedule":
            item["metadata"]["creationTimestamp"] = "2026-11-24T12:00:00Z"
            schedule = Schedule.model_validate(item)
            assert schedule.spec.flow in flows()
            assert check(schedule, Catalog(), Catalog())[0].ready
        elif item["kind"] == "Webhook":
            assert Webhook.model_validate(item).spec.flow in flows()


@pytest.mark.parametrize("file", FILES)
def test_no_example_has_a_field_that_nobody_reads(file: str) -> None:
    for item in documents(file):
        if item["kind"] in MODELS:
            known = MODELS[item["kind"]].model_validate(item).spec.dump()
            assert item["spec"].keys() <= known.keys()


def test_names_and_titles_are_unique_so_that_all_can_be_applied_together() -> None:
    every = [item for file in FILES for item in documents(file)]
    keys = [(item["kind"], item["metadata"]["name"]) for item in every]
    assert len(keys) == len(set(keys))
    words = [word for flow in flows().values() for word in {flow.metadata.name, flow.title}]
    assert len(words) == len(set(words))


def test_every_execution_has_its_expected_end() -> None:
    expected = {(one.file, one.execution) for one in expectations()}
    every = [(file, item) for file in FILES for item in documents(file)]
    runs = {(file, one["metadata"]["name"]) for file, one in every if one["kind"] == "Execution"}
    assert expected == runs


def test_the_readme_lists_every_example() -> None:
    listed = re.findall(r"^\| \[(.*?)\]\((.*?)\)", (FOLDER / "README.md").read_text(), re.M)
    assert sorted(listed) == [(file, file) for file in FILES]


def test_children_that_scripts_ask_for_are_there() -> None:
    words = {word for flow in flows().values() for word in (flow.metadata.name, flow.title)}
    for flow in flows().values():
        for call in ast.walk(ast.parse(flow.spec.script)):
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "this.flow":
                target = call.args[0]
                assert isinstance(target, ast.Constant)
                assert target.value in words


def test_the_data_in_the_manifest_are_those_of_the_files() -> None:
    (run,) = [item for item in documents("fan-out.yaml") if item["kind"] == "Execution"]
    for name in ("elements", "minerals"):
        assert run["spec"]["inputs"][name] == (FOLDER / "data" / f"{name}.csv").read_text()


def test_the_data_fit_together() -> None:
    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader((FOLDER / "data" / name).read_text().splitlines()))

    known = {row["symbol"] for row in rows("elements.csv")}
    used = {
        symbol
        for row in rows("minerals.csv")
        for symbol in re.findall("[A-Z][a-z]?", row["formula"])
    }
    assert used == known
    assert len(rows("minerals.csv")) == 36
    weights = [float(row["weight"]) for row in rows("elements.csv")]
    assert weights == sorted(weights)


def test_the_result_of_the_fan_out_is_right() -> None:
    class This:
        def log(self, *_: object, **__: object) -> None:
            pass

    weights = {"Fe": 55.845, "O": 15.999, "H": 1.008, "P": 30.974}
    scope: dict[str, Any] = {}
    exec(flows()["weigh-minerals"].spec.script, scope)
    minerals = [
        {"mineral": "magnetite", "formula": "Fe3O4"},
        {"mineral": "vivianite", "formula": "Fe3(PO4)2(H2O)8"},
    ]
    found = scope["handler"](
        None, This(), {"weights": weights, "element": "Fe", "minerals": minerals}
    )
    # By hand: 167.535 of 231.531, and of 501.597.
    assert found == {"shares": {"magnetite": 72.36, "vivianite": 33.4}}


def test_the_schemas_are_schemas() -> None:
    spec = flows()["fahrenheit"].spec
    for schema in (spec.input_schema, spec.output_schema):
        assert schema is not None
        assert schemas.problem_with_schema(schema) is None


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_public_address_is_replaced(service: Service) -> None:
    files = [file for file in FILES if service in services_of(file)]
    assert files
    for file in files:
        text = manifest(file, {service.public: service.url("10.0.0.1")})
        assert service.public not in text
        assert f": {service.url('10.0.0.1')}\n" in text


@pytest.mark.parametrize(
    ("name", "phase", "status", "children", "problem"),
    [
        pytest.param("child", "Succeeded", {"message": "all done"}, 1, "", id="as expected"),
        pytest.param("child", "Failed", {"message": "boom"}, 1, "not Succeeded: boom", id="phase"),
        pytest.param("child", "Succeeded", {"message": "done"}, 1, "its message", id="message"),
        pytest.param("child", "Succeeded", {"message": "all done"}, 0, "0 children", id="children"),
        pytest.param("limits-timeout", "Failed", {"reason": "Failed"}, 0, "reason", id="reason"),
        pytest.param("schema-good", "Succeeded", {"outputs": {}}, 0, "its outputs", id="outputs"),
    ],
)
def test_what_is_not_as_expected_is_told(
    name: str, phase: str, status: JsonObject, children: int, problem: str
) -> None:
    (expected,) = [one for one in expectations() if one.execution == name]
    run = Execution.model_validate(execution(name, phase, **status)[1])
    problems = list(expected.problems(run, children))
    assert problem in "".join(problems)
    assert bool(problems) == bool(problem)
