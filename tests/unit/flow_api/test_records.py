"""Settings, locks, files, schemas and lists, as scripts call them."""

from typing import Any

import pytest

import flow_api
from flow_api import System
from tests.unit.flow_api.fake_backend import FakeBackend
from weir_protocol import Answer, ErrorInfo


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def system(backend: FakeBackend) -> System:
    return System(backend, environment="production", user="ada")


def kinds(backend: FakeBackend) -> list[str]:
    return [kind for kind, _ in backend.operations]


def test_a_record_is_read_once_and_afresh_by_load(system: System, backend: FakeBackend) -> None:
    setting = system.setting("limits")
    assert setting.get("value") == {"rows": 100}
    assert setting.get("name", "value") == ("limits", {"rows": 100})
    assert kinds(backend) == ["get_record"]
    assert setting.load("value") == {"rows": 100}
    assert kinds(backend) == ["get_record"] * 2


def test_naming_a_record_asks_for_nothing(system: System, backend: FakeBackend) -> None:
    assert repr(system.setting("limits")) == "<Setting 'limits'>"
    assert repr(system.flow("greet")) == "<Resource flow 'greet'>"
    assert backend.operations == []


def test_a_missing_record_raises_when_it_is_read_and_exists_says_so(system: System) -> None:
    with pytest.raises(flow_api.ResourceNotFoundError):
        system.setting("missing").get("value")
    assert not system.setting("missing").exists()


def test_what_was_set_is_saved_together(system: System, backend: FakeBackend) -> None:
    setting = system.setting("limits")
    setting.set(description="of the import")
    setting.save(value=[1, (2, 3)])
    (saved,) = backend.of_kind("save_record")
    assert saved.fields == {"description": "of the import", "value": [1, [2, 3]]}
    assert setting.get("value", "description") == ([1, [2, 3]], "of the import")


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"colour": 1}, "a script cannot set 'colour' of a setting; it can set value, description"),
        ({"name": "other"}, "a script cannot set 'name' of a setting"),
    ],
)
def test_a_field_that_cannot_be_set_is_named(
    system: System, backend: FakeBackend, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        system.setting("limits").save(**fields)
    assert backend.operations == []


def test_a_value_that_is_no_json_is_not_sent(system: System, backend: FakeBackend) -> None:
    with pytest.raises(TypeError, match="value is a set"):
        system.setting("limits").save(value={1})
    assert backend.operations == []


def test_an_unknown_field_names_those_that_there_are(system: System) -> None:
    with pytest.raises(ValueError, match="a setting has no field 'colour'; it has description"):
        system.setting("limits").get("colour")


def test_a_script_never_sets_what_a_flow_may(system: System) -> None:
    for field in ("allow", "runner"):
        with pytest.raises(ValueError, match="a script cannot set"):
            system.flow("greet").save(**{field: ["flows"]})
    with pytest.raises(ValueError, match="a script cannot set 'secret_inputs'"):
        system.connector("database").save(secret_inputs=[])


def test_an_execution_is_not_saved_as_a_record(system: System, backend: FakeBackend) -> None:
    backend.answer = Answer(state="done", value=["uid-1"])
    (found,) = system.executions()
    with pytest.raises(ValueError, match="it can set none"):
        found.save(message="x")


def test_a_lock_is_taken_for_a_block_and_freed_after_it(
    system: System, backend: FakeBackend
) -> None:
    with system.setting("printer") as lock:
        assert lock.get("name") == "printer"
    assert kinds(backend) == ["acquire", "get_record", "release"]


def test_a_lock_that_was_acquired_is_not_acquired_again_by_its_block(
    system: System, backend: FakeBackend
) -> None:
    with system.setting("printer").acquire(timeout=5):
        pass
    assert kinds(backend) == ["acquire", "release"]
    (acquired,) = backend.of_kind("acquire")
    assert acquired.timeout == 5


def test_a_lock_is_freed_when_its_block_ends_with_the_run(
    system: System, backend: FakeBackend
) -> None:
    with pytest.raises(flow_api.ExecutionSuccess), system.setting("printer"):
        raise flow_api.ExecutionSuccess("done")
    assert kinds(backend)[-1] == "release"


def test_why_a_block_ended_is_not_hidden_by_a_lock_that_cannot_be_freed(
    system: System, backend: FakeBackend
) -> None:
    lock = system.setting("printer").acquire()
    backend.answer = Answer(state="failed", error=ErrorInfo(type="InternalError", message="no"))
    with pytest.raises(flow_api.ExecutionCancel), lock:
        raise flow_api.ExecutionCancel
    with pytest.raises(flow_api.InternalError), lock:
        pass


def test_a_lock_that_is_taken_says_by_whom(system: System) -> None:
    with pytest.raises(flow_api.LockTimeoutError, match="held by execution other"):
        system.setting("taken").acquire(timeout=0)


@pytest.mark.parametrize("timeout", [-1, float("inf"), float("nan")])
def test_a_timeout_is_a_number_of_seconds(system: System, timeout: float) -> None:
    with pytest.raises(ValueError, match="a timeout is a number of seconds"):
        system.setting("x").acquire(timeout=timeout)


def test_a_file_keeps_bytes_and_texts(system: System) -> None:
    file = system.file("a/b.bin")
    assert file.save_bytes_content(b"\x00\xff").get_bytes_content() == b"\x00\xff"
    assert file.save_text_content("grüß").get_text_content() == "grüß"
    assert file.get("content_size_bytes", "size_bytes") == (6, 6)
    assert file.save_base64_content("AP8=").get_base64_content() == "AP8="


def test_a_files_content_is_sent_only_where_it_is_asked_for(
    system: System, backend: FakeBackend
) -> None:
    file = system.file("report.txt")
    assert file.get("size_bytes") == 8
    assert file.get_text_content() == "all well"
    assert [asked.content for asked in backend.of_kind("get_record")] == [False, True]


def test_a_copy_has_what_a_script_may_set(system: System, backend: FakeBackend) -> None:
    copy = system.file("report.txt").clone("copy.txt")
    assert copy.get_text_content() == "all well"
    system.setting("limits").clone("more", value=3)
    assert backend.of_kind("save_record")[-1].fields == {"value": 3, "description": None}


def test_a_list_gives_records_of_the_kind(system: System, backend: FakeBackend) -> None:
    wanted = {"field": "name", "op": "like", "value": "lim%"}
    assert [type(one) for one in system.settings(wanted)] == [flow_api.Setting]
    system.settings(filter_=wanted)
    assert [asked.filter for asked in backend.of_kind("list_records")] == [wanted, wanted]
    with pytest.raises(TypeError, match="the same"):
        system.settings(wanted, filter_=wanted)
    with pytest.raises(TypeError, match="a filter is a dict"):
        system.settings("name")  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "  ", 7, None])
def test_a_record_has_a_name(system: System, name: Any) -> None:
    with pytest.raises(TypeError, match="a text that is not empty"):
        system.setting(name)
    with pytest.raises(TypeError, match="a text that is not empty"):
        system.execution(name)


def test_an_execution_is_found_by_its_objects_name(system: System, backend: FakeBackend) -> None:
    def perform(kind: str, arguments: Any) -> Answer:
        if kind == "read" and arguments.uid != "own":
            return Answer(
                state="failed", error=ErrorInfo(type="ResourceNotFoundError", message="no")
            )
        if kind == "get_record":
            return Answer(state="done", value={"id": "own"})
        return FakeBackend.perform(backend, kind, arguments)

    backend.perform = perform  # type: ignore[method-assign]
    assert system.execution("own-x1").get("id") == "own"


def test_who_and_where(system: System, backend: FakeBackend) -> None:
    assert (system.get_env_name(), system.get_own_user()) == ("production", "ada")
    assert System(backend).get_own_user() is None


def test_a_lock_whose_setting_was_deleted_meanwhile_needs_no_release(
    system: System, backend: FakeBackend
) -> None:
    gone = ErrorInfo(type="ResourceNotFoundError", message="there is no setting 'printer'")
    with system.setting("printer"):
        backend.answer = Answer(state="failed", error=gone)
    with pytest.raises(flow_api.ResourceNotFoundError):
        system.setting("printer").release()


def test_a_copy_of_a_guarded_webhook_has_no_guard_and_is_not_enabled(
    system: System, backend: FakeBackend
) -> None:
    backend.records.kept[("webhook", "push")]["is_enabled"] = True
    copy = system.webhook("push").clone("push 2")
    assert copy.load("is_enabled") is False
    assert "is_key_required" not in backend.records.kept[("webhook", "push 2")]
    assert system.webhook("push").clone("push 3", is_enabled=True).load("is_enabled") is True
    backend.records.kept[("webhook", "push")]["is_key_required"] = False
    assert system.webhook("push").clone("push 4").load("is_enabled") is True
