"""Settings, locks, files, schemas and lists without a cluster."""

from __future__ import annotations

from typing import Any

import flow_api
import weir_local
from flow_api import Execution, System
from weir_local import Flow, Flows, Local, flow


def said(call: Any) -> str:
    """Return the error of a call: its type and text."""
    try:
        call()
    except flow_api.EngineException as error:
        return f"{type(error).__name__}: {error}"
    return "no error"


def test_settings_are_saved_read_listed_and_deleted() -> None:
    def main(system: System, this: Execution) -> None:
        limits = system.setting("Row limits")
        this.log(limits.exists())
        limits.save(value={"rows": 3}, description="how many")
        this.log(system.setting("row-limits").get("value"), limits.get("object_name", "locked_by"))
        system.setting("a").save(value=1)
        big = {"field": "value", "op": "eq", "value": 1}
        this.log([one.get("name") for one in system.settings()])
        this.log([one.get("name") for one in system.settings(big)])
        limits.delete()
        this.log(said(lambda: limits.load("value")))
        this.log(said(lambda: system.settings({"field": "colour", "op": "eq", "value": 1})))
        this.log(said(lambda: system.setting("x" * 254).exists()))

    run = weir_local.run(main)
    assert run.is_success, run.message
    assert run.log == [
        "false",
        '{"rows": 3} ["row-limits", null]',
        '["Row limits", "a"]',
        '["a"]',
        "ResourceNotFoundError: there is no setting 'Row limits' in namespace default",
        "InvalidInputError: there is no field 'colour'; there are created_at, description, id, "
        "locked_by, name, object_name, value",
        f"InvalidInputError: a name has 1 to 253 printable characters: {'x' * 253!a}",
    ]


def test_a_lock_is_had_by_one_at_a_time_in_the_order_of_who_came() -> None:
    order: list[int] = []

    def worker(system: System, this: Execution, inputs: dict[str, Any]) -> None:
        this.sleep(inputs["n"])
        with system.setting("printer"):
            order.append(inputs["n"])
            this.sleep(100)
            assert system.setting("printer").get("locked_by") == this.get("object_name")

    def main(system: System, this: Execution) -> None:
        this.wait_for([this.flow("worker", wait=False, n=n) for n in (3, 1, 2)])

    run = weir_local.run(main, flows={"worker": worker})
    assert run.is_success, run.message
    assert order == [1, 2, 3]


def test_a_lock_is_freed_by_the_end_of_its_holder_and_waited_for_no_longer_than_asked() -> None:
    def holder(system: System, this: Execution) -> None:
        lock = system.setting("lock").acquire()
        lock.acquire()  # again is fine
        this.sleep(60)
        raise ValueError("gone")

    def main(system: System, this: Execution) -> None:
        child = this.flow("holder", wait=False)
        this.sleep(1)
        text = said(lambda: system.setting("lock").acquire(timeout=5))
        this.log(text.replace(child.get("object_name"), "NAME").partition(" since ")[0])
        system.setting("lock").acquire()
        this.log(child.load("status"))
        system.setting("lock").release()
        system.setting("lock").release()
        this.log(said(lambda: system.setting("none").release()))

    run = weir_local.run(main, flows={"holder": holder})
    assert run.is_success, run.message
    assert run.log == [
        "LockTimeoutError: lock 'lock' is held by execution NAME (holder)",
        "ENDED_ERROR",
        "ResourceNotFoundError: there is no setting 'none' in namespace default",
    ]


def test_a_lock_of_another_tree_stays_its_own() -> None:
    def holder(system: System, this: Execution) -> None:
        system.setting("lock").acquire()
        this.sleep(3600)

    def main(system: System, this: Execution) -> None:
        this.log(said(system.setting("lock").release))
        this.log(said(system.setting("lock").delete))

    local = Local(skip_time=True)
    root = local.start(holder)
    assert not local.passes(root, 1)
    other = local.start(main)
    assert local.passes(other, 1)
    assert local.result(other).log == [
        f"PermissionDenied: lock 'lock' is held by execution {root.name} (holder), "
        "which is of another tree",
        f"PermissionDenied: setting 'lock' is a lock that execution {root.name} holds",
    ]
    assert local.wait(root).is_success


def test_files_keep_bytes() -> None:
    def main(system: System, this: Execution) -> None:
        report = system.file("reports/may.txt")
        report.save_text_content("sunny ☀")
        this.log(report.get_text_content(), report.get("content_size_bytes"))
        this.log([one.get("name") for one in system.files()])
        this.log(said(lambda: report.save_base64_content("?")).partition(":")[0])
        report.delete()
        this.log(report.exists(), said(report.delete))

    local = Local()
    run = local.run(main)
    assert run.is_success, run.message
    assert run.log == [
        "sunny ☀ 9",
        '["reports/may.txt"]',
        "InvalidInputError",
        "false ResourceNotFoundError: there is no file 'reports/may.txt' in namespace default",
    ]


def test_schemas_check_values() -> None:
    def main(system: System, this: Execution) -> None:
        order = system.schema("order")
        order.save(value={"type": "object", "required": ["rows"]})
        order.validate({"rows": 1})
        this.log(said(lambda: order.validate({})))
        this.log(said(lambda: order.save(value={"type": 3})).partition(":")[0])
        this.log(said(lambda: system.schema("none").validate({})))
        order.save(value={"type": "object", "properties": {"rows": {"type": "integer"}}})
        this.log(order.coerce({"rows": "12"}))

    run = weir_local.run(main)
    assert run.is_success, run.message
    assert run.log == [
        "SchemaValidationError: value: lacks rows (schema 'order')",
        "SchemaError",
        "ResourceNotFoundError: there is no schema 'none' in namespace default",
        '{"rows": 12}',
    ]


def test_flows_are_read_by_all_and_changed_by_those_who_may() -> None:
    def main(system: System, this: Execution) -> None:
        leaf = system.flow("leaf")
        this.log(leaf.get("name", "is_enabled"))
        this.log(said(lambda: leaf.save(description="x")))
        this.log([one.get("name") for one in system.flows()])

    source = "def handler(system, this):\n    return {'old': True}\n"
    local = Local(Flows())
    local.flows.add(flow(source, "leaf"))
    local.flows.add(flow(main, "main"))
    run = local.run("main")
    assert run.is_success, run.message
    assert run.log[1] == (
        "PermissionDenied: flow main may not change flows: its spec.allow does not name them"
    )
    assert run.log[2] == '["leaf", "main"]'

    def author(system: System, this: Execution) -> None:
        system.flow("leaf").save(script="def handler(system, this):\n    return {'new': True}\n")
        system.flow("second").save(script="def handler(system, this):\n    pass\n")
        this.log(said(lambda: system.flow("third").save(script="x = 1\n")))
        this.set_output(this.flow("leaf").get("output_value"))
        this.flow("second")

    local.flows.add(Flow(name="author", title="author", handler=author, allow=("flows",)))
    run = local.run("author")
    assert run.is_success, run.message
    assert run.outputs == {"new": True}
    assert run.log[0].startswith("InvalidInputError: the script cannot be run: the script defines")


def test_executions_are_listed_and_read() -> None:
    def main(system: System, this: Execution) -> None:
        this.flow("leaf", name="the child")
        mine = {"field": "name", "op": "eq", "value": "the child"}
        (child,) = system.executions(mine)
        this.log(child.get("name", "status"))
        this.log(system.execution(this.get("object_name")).get("id") == this.get("id"))
        this.log(*this.get("schedule_name", "scheduled_for", "webhook_name"))

    run = weir_local.run(main, flows={"leaf": "def handler(system, this):\n    pass\n"})
    assert run.is_success, run.message
    assert run.log == [
        '["the child", "ENDED_SUCCESS"]',
        "true",
        "null null null",
    ]


def test_schedules_and_webhooks_are_changed_by_those_who_may_and_never_fire() -> None:
    def main(system: System, this: Execution) -> None:
        nightly = system.schedule("Every Night")
        this.log(said(lambda: system.schedule("x").save(flow_name="main")))
        this.log(said(lambda: system.schedule("x").save(cron="0 3 * * *")))
        nightly.save(flow_name="main", cron="0 3 * * *", description="at night")
        this.log(nightly.load("object_name", "cron", "interval", "is_enabled", "description"))
        nightly.save(interval="1h", is_enabled=False, description=None)
        this.log(nightly.get("cron", "interval", "is_enabled", "description"))
        this.log(said(lambda: system.schedule("every-night").save(interval=None)))
        hook = system.webhook("push")
        hook.save(flow_name="main", is_enabled=True)
        this.log(hook.get("path", "is_enabled", "methods", "is_key_required", "last_called_at"))
        enabled = {"field": "is_enabled", "op": "eq", "value": True}
        this.log(len(system.schedules(enabled)), [one.get("name") for one in system.webhooks()])
        this.sleep(7200)
        this.log(len(system.executions()))
        nightly.delete()
        this.log(nightly.exists(), said(hook.delete), said(hook.delete))

    def modest(system: System, this: Execution) -> None:
        this.log(said(lambda: system.schedule("x").save(flow_name="main", cron="@daily")))
        this.log(said(lambda: system.webhook("x").delete()))

    local = Local(Flows(), skip_time=True)
    allowed = ("schedules", "webhooks")
    local.flows.add(Flow(name="main", title="main", handler=main, allow=allowed))
    local.flows.add(Flow(name="modest", title="modest", handler=modest, allow=("flows",)))
    run = local.run("main")
    assert run.is_success, run.message
    assert run.log == [
        "InvalidInputError: there is no such schedule yet: a new one needs 'cron' or 'interval'",
        "InvalidInputError: there is no such schedule yet: a new one needs 'flow_name'",
        '["every-night", "0 3 * * *", null, true, "at night"]',
        '[null, "1h", false, null]',
        "InvalidInputError: spec has exactly one of cron and interval",
        '["/hooks/default/push", true, ["GET", "POST"], false, null]',
        '0 ["push"]',
        "1",
        "false no error ResourceNotFoundError: there is no webhook 'push' in namespace default",
    ]
    assert local.run("modest").log == [
        "PermissionDenied: flow modest may not change schedules: its spec.allow does not name them",
        "PermissionDenied: flow modest may not change webhooks: its spec.allow does not name them",
    ]
