"""Settings, files, flows, schedules and the like, read and written by scripts over a real API
server.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any

import pytest
from sqlalchemy.engine import Connection

from tests.integration.server.conftest import RunnerFor, Served
from tests.integration.server.worlds import SCRIPT, Runner, World
from weir.api import names
from weir.api.resource import JsonObject
from weir.cluster.kinds import (
    CONNECTORS,
    EXECUTIONS,
    FLOWS,
    SCHEDULES,
    SCHEMAS,
    SETTINGS,
    WEBHOOKS,
)
from weir.storage.tables import operations
from weir_protocol import Answer, Operation
from weir_protocol.arguments import (
    DeleteArguments,
    DeleteRecordArguments,
    GetRecordArguments,
    ListRecordsArguments,
    RecordKind,
    SaveRecordArguments,
    ValidateArguments,
)


class Script:
    """What a script asks for of records."""

    def __init__(self, runner: Runner) -> None:
        self.runner = runner

    async def ask(self, operation: Operation) -> Answer:
        return await self.runner.ask(operation)

    async def get(self, kind: Any, name: str, **arguments: Any) -> JsonObject:
        asked = GetRecordArguments(kind=kind, name=name, **arguments)
        answer = await self.ask(self.runner.operation("get_record", asked))
        assert answer.error is None, answer.error
        fields: JsonObject = answer.value
        return fields

    async def save(self, kind: Any, name: str, **fields: Any) -> Answer:
        asked = SaveRecordArguments(kind=kind, name=name, fields=fields)
        return await self.ask(self.runner.operation("save_record", asked))

    async def delete(self, kind: Any, name: str) -> Answer:
        asked = DeleteRecordArguments(kind=kind, name=name)
        return await self.ask(self.runner.operation("delete_record", asked))

    async def names(self, kind: Any, filter: JsonObject | None = None) -> list[str]:
        asked = ListRecordsArguments(kind=kind, filter=filter)
        answer = await self.ask(self.runner.operation("list_records", asked))
        assert answer.error is None, answer.error
        found: list[str] = answer.value
        return found

    async def refusal(self, kind: Any, arguments: Any) -> tuple[str, str]:
        answer = await self.ask(self.runner.operation(kind, arguments))
        assert answer.error is not None, answer.value
        return answer.error.type, answer.error.message


def condition(field: str, op: str, value: Any) -> JsonObject:
    return {"field": field, "op": op, "value": value}


def refused(answer: Answer) -> str:
    assert answer.error is not None
    return f"{answer.error.type}: {answer.error.message}"


async def applied(world: World, name: str, **spec: Any) -> JsonObject:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Setting",
        "metadata": {"name": name},
        "spec": spec,
    }
    return await world.cluster.create(SETTINGS, world.namespace, body)


async def forget(server: Served, operation: Operation) -> None:
    """Have the journal as if the server had died before it recorded a result."""

    def work(sql: Connection) -> None:
        change = operations.update().where(
            operations.c.uid == operation.uid, operations.c.sequence == operation.sequence
        )
        sql.execute(change.values(result=None))

    await server.runtime.database.write(work)


@pytest.fixture
async def script(world: World, runner_for: RunnerFor) -> Script:
    return Script(await runner_for(await world.execution(script=SCRIPT)))


@pytest.fixture
async def trusted(world: World, runner_for: RunnerFor) -> Script:
    """A script whose Flow allows it to change whatever Flows may be allowed to."""
    await world.flow("trusted", allow=["flows", "connectors", "schedules", "webhooks"])
    return Script(await runner_for(await world.execution(flow="trusted")))


async def test_a_run_is_told_where_it_is_and_who_started_its_tree(
    world: World, runner_for: RunnerFor
) -> None:
    root = await world.execution(script=SCRIPT)
    said = {"metadata": {"annotations": {names.CREATED_BY: "ada"}}}
    await world.cluster.patch(EXECUTIONS, world.namespace, root.metadata.name, said)
    parent = await runner_for(await world.get(root.metadata.name))
    child = (await parent.child(script=SCRIPT)).executions[0]
    below = await runner_for(await world.get(child.name))
    for one in (parent, below):
        assert one.assignment is not None
        assert (one.assignment.user, one.assignment.environment) == ("ada", world.namespace)


@pytest.mark.parametrize(
    "value",
    [7, "text", None, True, [1, {"a": None}], {"a": {"b": 1.5}}, {}, [], -(2**63), ""],
    ids=repr,
)
async def test_a_setting_keeps_any_json_value_whole(script: Script, value: Any) -> None:
    await script.save("setting", "Any Value", value={"before": {"left": "over"}})
    assert (await script.save("setting", "Any Value", value=value)).state == "done"
    assert (await script.get("setting", "Any Value"))["value"] == value


async def test_a_setting_is_called_by_its_slug_and_keeps_its_name(
    world: World, script: Script
) -> None:
    await script.save("setting", "acs.sign Key", value=1, description="of signing")
    kept = await world.cluster.get(SETTINGS, world.namespace, "acs-sign-key")
    assert kept["spec"] == {"title": "acs.sign Key", "value": 1, "description": "of signing"}
    for name in ("acs.sign Key", "acs-sign-key", "ACS_SIGN_KEY"):
        assert (await script.get("setting", name))["name"] == "acs.sign Key"


async def test_names_of_which_a_slug_keeps_nothing_are_told_apart(script: Script) -> None:
    for name in ("ключ", "замок", "k" * 200, "k" * 201):
        await script.save("setting", name, value=name)
    for name in ("ключ", "замок", "k" * 200, "k" * 201):
        assert (await script.get("setting", name))["value"] == name
    assert len(await script.names("setting")) == 4


async def test_what_people_apply_scripts_read_and_overwrite(world: World, script: Script) -> None:
    await applied(world, "limits", value={"rows": 1}, title="The Limits", description="kept")
    fields = await script.get("setting", "The Limits")
    assert (fields["value"], fields["object_name"]) == ({"rows": 1}, "limits")
    await script.save("setting", "The Limits", value=[2])
    kept = await world.cluster.get(SETTINGS, world.namespace, "limits")
    assert kept["spec"] == {"value": [2], "title": "The Limits", "description": "kept"}


async def test_a_resumed_run_reads_what_it_read_before(
    world: World, script: Script, runner_for: RunnerFor
) -> None:
    large = "x" * 100_000
    await script.save("setting", "small", value=1)
    await script.save("setting", "large", value=large)
    assert (await script.get("setting", "small"))["value"] == 1
    assert (await script.get("setting", "large"))["value"] == large
    assert await script.names("setting") == ["large", "small"]
    await script.save("setting", "small", value=2)
    await script.save("setting", "third", value=2)
    assert script.runner.assignment is not None
    execution = await world.get(script.runner.assignment.execution.name)
    again = Script(await runner_for(execution, attempt=2))
    for name, value in (("small", 1), ("large", large)):
        await again.save("setting", name, value=value)  # as recorded: nothing is written
    assert (await again.get("setting", "small"))["value"] == 1
    assert (await again.get("setting", "large"))["value"] == large
    assert await again.names("setting") == ["large", "small"]
    kept = await world.cluster.get(SETTINGS, world.namespace, "small")
    assert kept["spec"]["value"] == 2


async def test_a_large_result_stands_beside_the_journal(server: Served, script: Script) -> None:
    await script.save("setting", "large", value="x" * 100_000)
    await script.get("setting", "large")
    rows = await server.runtime.database.read(
        lambda sql: list(sql.execute(operations.select()).mappings())
    )
    assert all(len(row["result"] or "") < 20_000 for row in rows)


async def test_a_save_asked_for_again_writes_once(
    world: World, server: Served, script: Script
) -> None:
    asked = SaveRecordArguments(kind="setting", name="counter", fields={"value": 1})
    operation = script.runner.operation("save_record", asked)
    first = await script.ask(operation)
    await forget(server, operation)
    assert (await script.ask(operation)).value == first.value
    kept = await world.cluster.get(SETTINGS, world.namespace, "counter")
    assert kept["metadata"]["generation"] == 1


async def test_a_late_save_does_not_overwrite_what_came_after(
    world: World,
    server: Served,
    script: Script,
    runner_for: RunnerFor,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two requests of one operation: the second was answered while the first hung."""
    other = Script(await runner_for(await world.execution(script=SCRIPT)))
    await script.save("setting", "counter", value=0)
    cluster, held = server.runtime.cluster, asyncio.Event()
    amend, calls = cluster.amend, []

    async def hanging(*arguments: Any) -> JsonObject:
        calls.append(arguments)
        if len(calls) == 1:
            await held.wait()
        return await amend(*arguments)

    monkeypatch.setattr(cluster, "amend", hanging)
    asked = SaveRecordArguments(kind="setting", name="counter", fields={"value": 1})
    operation = script.runner.operation("save_record", asked)
    late = asyncio.create_task(script.ask(operation))
    while not calls:
        await asyncio.sleep(0.01)
    assert (await script.ask(operation)).state == "done"
    await other.save("setting", "counter", value=2)
    held.set()
    assert (await late).state == "done"
    kept = await world.cluster.get(SETTINGS, world.namespace, "counter")
    assert kept["spec"]["value"] == 2


async def test_a_delete_asked_for_again_spares_what_was_made_since(
    world: World, server: Served, script: Script
) -> None:
    await script.save("setting", "gone", value=1)
    asked = DeleteRecordArguments(kind="setting", name="gone")
    operation = script.runner.operation("delete_record", asked)
    assert (await script.ask(operation)).state == "done"
    await applied(world, "gone", value=2)
    await forget(server, operation)
    assert (await script.ask(operation)).state == "done"
    assert (await script.get("setting", "gone"))["value"] == 2


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"value": "x" * 262_144}, "has 262146 bytes as JSON and a Setting takes 262144"),
        ({"value": [2**63]}, "an integer of more than 64 bits"),
        ({"colour": 1}, "a script cannot set 'colour' of a setting; it can set description, value"),
        ({"description": 7}, "description is a text"),
    ],
)
async def test_what_a_setting_cannot_keep_is_refused(
    script: Script, fields: JsonObject, says: str
) -> None:
    answer = await script.save("setting", "x", **fields)
    assert refused(answer).startswith("InvalidInputError")
    assert says in refused(answer)
    assert await script.names("setting") == []


async def test_what_is_not_there_is_said(world: World, script: Script) -> None:
    kinds: tuple[RecordKind, ...] = (
        "setting",
        "file",
        "schema",
        "flow",
        "connector",
        "schedule",
        "webhook",
        "execution",
    )
    for kind in kinds:
        missing = await script.refusal("get_record", GetRecordArguments(kind=kind, name="none"))
        assert missing[0] == "ResourceNotFoundError"
        assert f"there is no {kind} 'none'" in missing[1]
    for kind in ("setting", "file"):
        gone = await script.delete(kind, "none")
        assert refused(gone).startswith("ResourceNotFoundError")
    assert (await script.refusal("list_records", ListRecordsArguments(kind="message"))) == (
        "InvalidInputError",
        "a message is no record",
    )


async def test_a_file_keeps_bytes_under_any_name(script: Script) -> None:
    content = bytes(range(256)) * 1000
    name = "reports/2026/Übersicht.bin"
    saved = await script.save("file", name, content=base64.b64encode(content).decode())
    assert saved.value["content_size_bytes"] == 256_000
    fields = await script.get("file", name)
    assert base64.b64decode(fields["content"]) == content
    assert fields["created_at"] == fields["modified_at"]
    assert "content" not in await script.get("file", name, content=False)
    await script.save("file", name, content="")
    fields = await script.get("file", name)
    assert (fields["size_bytes"], fields["content"]) == (0, "")
    assert fields["created_at"] < fields["modified_at"]
    assert (await script.delete("file", name)).state == "done"
    assert await script.names("file") == []


async def test_what_is_no_file_is_refused(script: Script) -> None:
    assert "content is no base64" in refused(await script.save("file", "x", content="%"))
    assert "a new one needs 'content'" in refused(await script.save("file", "x"))
    large = base64.b64encode(b"x" * (16 * 2**20 + 1)).decode()
    assert "a file takes 16777216" in refused(await script.save("file", "x", content=large))
    assert "1 to 253 printable characters" in refused(await script.save("file", "a\nb", content=""))


async def test_the_largest_file_is_kept_and_read(script: Script) -> None:
    content = base64.b64encode(b"x" * 16 * 2**20).decode()
    assert (await script.save("file", "large", content=content)).state == "done"
    assert (await script.get("file", "large"))["content"] == content


async def test_values_are_checked_against_a_schema(world: World, script: Script) -> None:
    schema = {"type": "object", "required": ["id"], "properties": {"id": {"type": "integer"}}}
    await script.save("schema", "An Order", value=schema)
    kept = await world.cluster.get(SCHEMAS, world.namespace, "an-order")
    assert kept["spec"] == {"title": "An Order", "schema": schema}

    async def check(value: Any, name: str = "An Order") -> Answer:
        asked = ValidateArguments(name=name, value=value)
        return await script.ask(script.runner.operation("validate", asked))

    assert (await check({"id": 7})).state == "done"
    asked = ValidateArguments(name="An Order", value={"id": "7"}, coerce=True)
    bent = await script.ask(script.runner.operation("validate", asked))
    assert bent.value == {"id": 7}
    wrong = "SchemaValidationError: value.id: must be integer, not string (schema 'An Order')"
    assert refused(await check({"id": "7"})) == wrong
    assert refused(await check(1, "none")).startswith("ResourceNotFoundError")
    assert refused(await script.save("schema", "x", value={"type": "odd"})).startswith("SchemaErr")
    assert refused(await script.save("schema", "x", value=[])).startswith("SchemaError")
    assert "a new one needs 'value'" in refused(await script.save("schema", "x", description="x"))


async def test_a_schema_that_people_broke_is_said_when_it_is_used(
    world: World, script: Script
) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Schema",
        "metadata": {"name": "broken"},
        "spec": {"schema": {"type": "odd"}},
    }
    await world.cluster.create(SCHEMAS, world.namespace, body)
    said = await script.refusal("validate", ValidateArguments(name="broken", value=1))
    assert said[0] == "SchemaError"


async def test_a_list_is_filtered(world: World, script: Script) -> None:
    for name, value in (("a 1", 1), ("a 2", 2), ("b 1", {"x": 1})):
        await script.save("setting", name, value=value)
    await applied(world, "applied")
    assert await script.names("setting") == ["a 1", "a 2", "applied", "b 1"]
    assert await script.names("setting", condition("name", "like", "a _")) == ["a 1", "a 2"]
    assert await script.names("setting", condition("value", "gt", 1)) == ["a 2"]
    assert await script.names("setting", condition("value", "eq", {"x": 1})) == ["b 1"]
    both = {"and": [condition("name", "like", "a%"), {"not": condition("value", "eq", 1)}]}
    assert await script.names("setting", both) == ["a 2", "applied"]
    wrong = await script.refusal(
        "list_records", ListRecordsArguments(kind="setting", filter=condition("colour", "eq", 1))
    )
    assert wrong[0] == "InvalidInputError"
    assert "there is no field 'colour'; there are created_at, description" in wrong[1]


async def test_flows_and_connectors_are_read_without_leave(world: World, script: Script) -> None:
    await world.flow("greet", title="Greet People", description="greets")
    await world.connector(
        "repository",
        type="GIT",
        inputs={"repository_url": "https://example.com", "password": "inline"},
        secretInputs=[{"input": "ssh_key", "secretKeyRef": {"name": "s", "key": "k"}}],
    )
    flow = await script.get("flow", "Greet People")
    assert (flow["script"], flow["is_enabled"], flow["description"]) == (SCRIPT, True, "greets")
    connector = await script.get("connector", "repository")
    assert connector["value"] == {"repository_url": "https://example.com", "password": "***"}
    assert "ssh_key" not in str(connector)
    assert await script.names("flow") == ["Greet People"]
    assert await script.names("connector", condition("connector_type", "eq", "GIT")) == [
        "repository"
    ]


async def test_flows_are_changed_only_where_the_flow_allows_it(
    world: World, runner_for: RunnerFor, script: Script
) -> None:
    await world.flow("greet")
    await world.flow("modest", allow=["connectors"])
    modest = Script(await runner_for(await world.execution(flow="modest")))
    for one, why in ((script, "only the script of a Flow"), (modest, "flow modest may not change")):
        for answer in (
            await one.save("flow", "greet", description="x"),
            await one.save("flow", "new", script=SCRIPT),
            await one.delete("flow", "greet"),
        ):
            assert refused(answer).startswith("PermissionDenied")
            assert why in refused(answer)
    assert "description" not in (await world.cluster.get(FLOWS, world.namespace, "greet"))["spec"]
    assert await script.names("flow") == ["greet", "modest"]


async def test_a_trusted_script_writes_flows(world: World, trusted: Script) -> None:
    saved = await trusted.save("flow", "Made By Hand", script=SCRIPT, is_enabled=False)
    assert saved.value["is_enabled"] is False
    kept = await world.cluster.get(FLOWS, world.namespace, "made-by-hand")
    assert kept["spec"]["suspend"] is True
    assert kept["spec"]["title"] == "Made By Hand"
    # It is known at once: no watch is waited for.
    assert (await trusted.runner.child(flow="Made By Hand")).state == "done"
    schema = {"type": "object"}
    await trusted.save("flow", "Made By Hand", is_enabled=True, input_schema=schema)
    assert (await trusted.get("flow", "Made By Hand"))["input_schema"] == schema
    for field in ("allow", "runner", "requirements", "title"):
        assert f"cannot set {field!r}" in refused(await trusted.save("flow", "x", **{field: []}))
    assert "the script cannot be run: line 1" in refused(
        await trusted.save("flow", "x", script="(")
    )
    assert "a new one needs 'script'" in refused(await trusted.save("flow", "x", description="x"))
    assert (await trusted.delete("flow", "Made By Hand")).state == "done"


async def test_a_trusted_script_cannot_send_a_connectors_secrets_elsewhere(
    world: World, trusted: Script
) -> None:
    secret = {"input": "password", "secretKeyRef": {"name": "s", "key": "k"}}
    await world.connector("sealed", type="GIT", secretInputs=[secret])
    stolen = {"repository_url": "https://evil.example"}
    answer = await trusted.save("connector", "sealed", value=stolen)
    assert refused(answer).startswith("PermissionDenied: connector sealed has secretInputs")
    assert (await trusted.save("connector", "sealed", description="of the team")).state == "done"
    assert (
        await trusted.save("connector", "open", connector_type="GIT", value=stolen)
    ).state == "done"
    kept = await world.cluster.get(CONNECTORS, world.namespace, "open")
    assert kept["spec"]["inputs"] == stolen


async def test_a_trusted_script_writes_schedules(world: World, trusted: Script) -> None:
    word = "Every Night"
    made = {"flow_name": "trusted", "cron": "0 3 * * *", "time_zone": "Europe/Vienna"}
    saved = await trusted.save("schedule", word, **made, input_value={"rows": 3})
    assert saved.value.items() >= made.items()
    kept = await world.cluster.get(SCHEDULES, world.namespace, "every-night")
    assert kept["spec"]["title"] == word
    assert kept["spec"]["inputs"] == {"rows": 3}
    saved = await trusted.save(
        "schedule", word, interval="1h", is_enabled=False, is_productive=False, time_zone=None
    )
    kept = await world.cluster.get(SCHEDULES, world.namespace, "every-night")
    assert "cron" not in kept["spec"]
    assert (kept["spec"]["interval"], kept["spec"]["suspend"]) == ("1h", True)
    assert (kept["spec"]["mode"], saved.value["time_zone"]) == ("Development", "UTC")
    for wrong, why in (
        ({"cron": "60 * * * *"}, "cron cannot be read: Bad minute"),
        ({"interval": None}, "exactly one of cron and interval"),
        ({"next_scheduled_for": "2026-01-01T00:00:00Z"}, "cannot set 'next_scheduled_for'"),
    ):
        answer = await trusted.save("schedule", word, **wrong)
        assert refused(answer).startswith("InvalidInputError")
        assert why in refused(answer)
    assert (await trusted.save("schedule", "x", flow_name="trusted")).error is not None
    after = await world.cluster.get(SCHEDULES, world.namespace, "every-night")
    assert after["metadata"]["generation"] == kept["metadata"]["generation"]
    stopped = condition("is_enabled", "eq", False)
    assert await trusted.names("schedule", stopped) == [word]
    assert (await trusted.delete("schedule", word)).state == "done"
    assert await trusted.names("schedule") == []


async def test_what_the_operator_says_of_a_schedule_is_read(world: World, script: Script) -> None:
    body = {
        "apiVersion": names.API_VERSION,
        "kind": "Schedule",
        "metadata": {"name": "nightly"},
        "spec": {"flow": "any", "cron": "@daily"},
    }
    await world.cluster.create(SCHEDULES, world.namespace, body)
    status = {"lastExecution": "nightly-1", "next": ["2026-11-25T00:00:00Z"]}
    await world.cluster.patch(
        SCHEDULES, world.namespace, "nightly", {"status": status}, status=True
    )
    fields = await script.get("schedule", "nightly")
    assert (fields["cron"], fields["last_execution"]) == ("@daily", "nightly-1")
    assert fields["next_scheduled_for"] == "2026-11-25T00:00:00.000000Z"


async def test_a_trusted_script_writes_webhooks_but_not_their_secrets(
    world: World, trusted: Script
) -> None:
    made = await trusted.save("webhook", "On Push", flow_name="trusted")
    assert (made.value["is_enabled"], made.value["is_key_required"]) == (False, False)
    assert made.value["path"] == f"/hooks/{world.namespace}/on-push"
    secret = {"name": "s", "key": "k"}
    guarded = {"spec": {"keySecretRef": secret, "hmac": {"secretRef": secret}}}
    await world.cluster.patch(WEBHOOKS, world.namespace, "on-push", guarded)
    saved = await trusted.save(
        "webhook", "On Push", is_enabled=True, is_async=True, methods=["PUT"], timeout="9s"
    )
    assert (saved.value["is_key_required"], saved.value["is_signed"]) == (True, True)
    kept = (await world.cluster.get(WEBHOOKS, world.namespace, "on-push"))["spec"]
    assert (kept["enabled"], kept["async"], kept["methods"]) == (True, True, ["PUT"])
    assert (kept["keySecretRef"], kept["hmac"]["secretRef"]) == (secret, secret)
    for field in ("keySecretRef", "key_secret_ref", "key", "hmac", "is_key_required", "title"):
        answer = await trusted.save("webhook", "On Push", **{field: None})
        assert refused(answer).startswith(f"InvalidInputError: a script cannot set {field!r}")
    assert (await trusted.delete("webhook", "On Push")).state == "done"


async def test_schedules_and_webhooks_are_changed_only_where_the_flow_allows_it(
    world: World, runner_for: RunnerFor, script: Script, trusted: Script
) -> None:
    await trusted.save("schedule", "kept", flow_name="trusted", cron="@daily")
    await trusted.save("webhook", "kept", flow_name="trusted")
    await world.flow("modest", allow=["flows"])
    modest = Script(await runner_for(await world.execution(flow="modest")))
    for one, why in ((script, "only the script of a Flow"), (modest, "flow modest may not change")):
        for kind in ("schedule", "webhook"):
            assert (await one.get(kind, "kept"))["flow_name"] == "trusted"
            for answer in (
                await one.save(kind, "kept", is_enabled=True),
                await one.save(kind, "new", flow_name="modest", **_ONLY[kind]),
                await one.delete(kind, "kept"),
            ):
                assert refused(answer).startswith("PermissionDenied")
                assert why in refused(answer)
            assert await one.names(kind) == ["kept"]


_ONLY: dict[str, JsonObject] = {"schedule": {"interval": "1h"}, "webhook": {}}


async def test_a_run_reads_which_schedule_or_webhook_started_it(
    world: World, script: Script
) -> None:
    run = await world.execution(script=SCRIPT)
    told = {
        "labels": {names.SCHEDULE_LABEL: "nightly", names.WEBHOOK_LABEL: "push"},
        "annotations": {names.SCHEDULED_TIME: "2026-11-24T03:00:00Z"},
    }
    await world.cluster.patch(EXECUTIONS, world.namespace, run.metadata.name, {"metadata": told})
    await eventually(script, run.uid, "schedule_name", "nightly")
    fields = await script.get("execution", run.uid)
    assert (fields["webhook_name"], fields["scheduled_for"]) == (
        "push",
        "2026-11-24T03:00:00.000000Z",
    )
    assert await script.names("execution", condition("schedule_name", "eq", "nightly")) == [run.uid]


async def eventually(script: Script, uid: str, field: str, value: Any) -> None:
    """Wait until the server's watch has told it."""
    async with asyncio.timeout(30):
        while (await script.get("execution", uid))[field] != value:
            await asyncio.sleep(0.02)


async def test_executions_are_listed_with_values_of_the_own_tree_only(
    world: World, script: Script
) -> None:
    other = await world.execution(script=SCRIPT, inputs={"secret": 1}, title="another's")
    child = (await script.runner.child(script=SCRIPT, inputs={"n": 1})).executions[0]
    uids = await script.names("execution")
    assert {other.uid, child.uid} <= set(uids)
    assert await script.names("execution", condition("name", "eq", "another's")) == [other.uid]
    shown = await script.get("execution", other.uid)
    assert (shown["name"], shown["status"]) == ("another's", "NEW")
    assert "input_value" not in shown
    assert (await script.get("execution", child.name))["input_value"] == {"n": 1}
    answer = await script.save("execution", other.uid, message="x")
    assert "changed by the calls of flow_api.Execution" in refused(answer)


async def test_others_executions_are_reached_only_where_the_flow_allows_it(
    world: World, runner_for: RunnerFor, script: Script
) -> None:
    await world.flow("warden", allow=["executions"])
    warden = await runner_for(await world.execution(flow="warden"))
    other = await world.execution(script=SCRIPT, inputs={"secret": 1})
    assert refused(await script.runner.read(other.uid)).startswith("PermissionDenied")
    assert refused(await script.runner.cancel(other.uid)).startswith("PermissionDenied")
    (seen,) = (await warden.read(other.uid)).executions
    assert (seen.status, seen.input_value) == ("NEW", None)
    assert (await warden.cancel(other.uid)).state == "done"
    assert (await world.get(other.metadata.name)).spec.desired_state == "Cancelled"
    await world.end(other.metadata.name, "Cancelled")
    deletion = warden.operation("delete", DeleteArguments(uid=other.uid))
    assert (await warden.ask(deletion)).state == "done"
    assert other.uid not in [one.uid for one in await world.executions()]
