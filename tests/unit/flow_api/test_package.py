"""flow_api as a package: its names, its exceptions, its examples."""

import doctest
import importlib
import types
from pathlib import Path

import pytest

import flow_api
from flow_api import Execution, System
from tests.unit.flow_api.fake_backend import FakeBackend, view

TREE = {
    "InternalError": "EngineException",
    "PermissionDenied": "EngineException",
    "ResourceNotFoundError": "EngineException",
    "DependencyFailedError": "EngineException",
    "TimeoutExceededError": "EngineException",
    "DependencyTimeoutError": "TimeoutExceededError",
    "LockTimeoutError": "TimeoutExceededError",
    "MessageResponseTimeoutError": "TimeoutExceededError",
    "MissingInputError": "EngineException",
    "InvalidInputError": "EngineException",
    "ExtraInputError": "EngineException",
    "SchemaValidationError": "EngineException",
    "SchemaError": "EngineException",
    "ExecutionSuccess": "LifecycleSignal",
    "ExecutionError": "LifecycleSignal",
    "ExecutionCancel": "LifecycleSignal",
}


@pytest.mark.parametrize("module", [flow_api, flow_api.exceptions])
def test_the_public_names_are_those_without_an_underscore(module: types.ModuleType) -> None:
    public = [
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (not isinstance(value, types.ModuleType) or name == "exceptions")
    ]
    assert sorted(public) == sorted(module.__all__)


def test_every_public_name_is_documented() -> None:
    assert [name for name in flow_api.__all__ if not getattr(flow_api, name).__doc__] == []


@pytest.mark.parametrize(("name", "base"), TREE.items())
def test_an_exception_has_its_place_in_the_tree(name: str, base: str) -> None:
    raised = getattr(flow_api, name)
    assert raised.__bases__ == (getattr(flow_api, base),)
    assert getattr(flow_api.exceptions, name) is raised
    assert raised.__module__ == "flow_api"


def test_the_root_has_both_names() -> None:
    assert flow_api.CloudomationException is flow_api.EngineException
    assert issubclass(flow_api.EngineException, Exception)


def test_a_signal_is_caught_neither_as_an_exception_nor_as_the_root() -> None:
    assert not issubclass(flow_api.LifecycleSignal, Exception | flow_api.EngineException)


def test_the_package_says_that_it_is_typed() -> None:
    assert (Path(flow_api.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize(
    "module",
    [
        "_execution",
        "_lifecycle",
        "_messages",
        "_parent",
        "_record",
        "_records",
        "_resource",
        "_system",
        "_vault",
        "_wrappers",
    ],
)
def test_the_examples_of_the_docstrings_run(module: str) -> None:
    for example in doctest.DocTestFinder().find(importlib.import_module(f"flow_api.{module}")):
        backend = FakeBackend()
        this = Execution(backend, view(input_value={"person": "Ada"}), own=True)
        example.globs |= {
            "this": this,
            "system": System(backend, environment="production", user="ada"),
        }
        failures, _ = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL).run(
            example
        )
        assert failures == 0, example.name
