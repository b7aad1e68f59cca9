"""What scripts read of objects, and how their changes are written."""

from collections.abc import Callable

import pytest

from tests.builders import NOW
from weir.api import durations
from weir.api.connector import Connector
from weir.api.flow import Flow
from weir.api.resource import JsonObject, Resource, render_time
from weir.api.schedule import Schedule, ScheduleSpec
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook, WebhookSpec
from weir.core import records
from weir.core.timings import InvalidTiming, parse_cron
from weir_protocol import triggers
from weir_protocol.records import FIELDS, changes, required
from weir_protocol.writing import MAX_VALUE, Change, Refusal

SCRIPT = "def handler(system, this):\n    pass\n"


def item(**spec: object) -> JsonObject:
    metadata = {"name": "one", "uid": "u", "creationTimestamp": render_time(NOW)}
    return {"metadata": metadata, "spec": {"title": "The One", "description": "first", **spec}}


COMMON = {
    "id": "u",
    "name": "The One",
    "object_name": "one",
    "description": "first",
    "created_at": "2026-11-24T12:00:00Z",
}


def test_a_settings_fields() -> None:
    setting = Setting.model_validate(item(value=[1]))
    assert records.of_setting(setting, "run") == COMMON | {"value": [1], "locked_by": "run"}


def test_a_schemas_fields() -> None:
    schema = Schema.model_validate(item(schema={"type": "object"}))
    assert records.of_schema(schema) == COMMON | {"value": {"type": "object"}}


def test_a_flows_fields() -> None:
    flow = Flow.model_validate(item(script=SCRIPT, suspend=True, inputSchema={}, allow=["flows"]))
    assert records.of_flow(flow) == COMMON | {
        "script": SCRIPT,
        "input_schema": {},
        "output_schema": None,
        "is_enabled": False,
    }


def test_a_connectors_fields_hide_what_is_secret() -> None:
    secret = {"input": "ssh_key", "secretKeyRef": {"name": "s", "key": "k"}}
    connector = Connector.model_validate(
        item(type="GIT", inputs={"ref": "main", "password": "p"}, secretInputs=[secret])
    )
    assert records.of_connector(connector, frozenset({"password"})) == COMMON | {
        "connector_type": "GIT",
        "value": {"ref": "main", "password": "***"},
    }


def test_a_schedules_fields() -> None:
    schedule = Schedule.model_validate(
        item(flow="report", cron="0 3 * * *", timeZone="Europe/Vienna", inputs={"a": 1})
        | {
            "status": {
                "lastScheduleTime": "2026-11-24T02:00:00Z",
                "next": ["2026-11-25T02:00:00Z", "2026-11-26T02:00:00Z"],
                "lastExecution": "nightly-1",
            }
        }
    )
    assert records.of_schedule(schedule) == COMMON | {
        "flow_name": "report",
        "is_enabled": True,
        "is_productive": True,
        "input_value": {"a": 1},
        "cron": "0 3 * * *",
        "interval": None,
        "time_zone": "Europe/Vienna",
        "concurrency_policy": "Allow",
        "starting_deadline": None,
        "last_scheduled_for": "2026-11-24T02:00:00.000000Z",
        "next_scheduled_for": "2026-11-25T02:00:00.000000Z",
        "last_execution": "nightly-1",
    }


def test_a_webhooks_fields_tell_that_there_are_secrets_and_never_which() -> None:
    secret = {"name": "s", "key": "k"}
    given = item(flow="deploy", keySecretRef=secret, hmac={"secretRef": secret}, mode="Development")
    given["metadata"]["namespace"] = "team"
    assert records.of_webhook(Webhook.model_validate(given)) == COMMON | {
        "flow_name": "deploy",
        "is_enabled": False,
        "is_productive": False,
        "input_value": {},
        "is_async": False,
        "is_key_required": True,
        "is_signed": True,
        "methods": ["GET", "POST"],
        "timeout": "60s",
        "max_bytes": 1048576,
        "protect_inputs": [],
        "protect_outputs": [],
        "path": "/hooks/team/one",
        "last_called_at": None,
        "last_execution": None,
    }


def test_what_is_left_out_reads_as_the_default_of_the_kind() -> None:
    bare = {"flow": "f"}
    schedule, webhook = ScheduleSpec(flow="f").dump(), WebhookSpec(flow="f").dump()
    assert triggers.of_schedule(bare, {}) == triggers.of_schedule(schedule, {})
    assert triggers.of_webhook(bare, {}, "n", "w") == triggers.of_webhook(webhook, {}, "n", "w")


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "*/5 0-6 1,15 JAN-MAR MON#1",
        "0 0 L * *",
        "0 0 * * 7",
        " 0  0 * * 1-5 ",
        "@Daily",
        "@annually",
        "@reboot",
        "@every 5m",
        "0 0 * *",
        "0 0 0 * * *",
        "0 24 * * *",
        "0 0 30 2 *",
        "0 0 31 4,6 *",
        "0 0 29 2 *",
        "TZ=UTC 0 0 * * *",
        "CRON_TZ=UTC 0 * * *",
        "0 0 ? * *",
        "0 0 * * MON#6",
    ],
)
def test_the_operator_reads_each_cron_that_a_script_may_write(cron: str) -> None:
    def reads(call: Callable[[], object]) -> bool:
        try:
            call()
        except (Refusal, InvalidTiming):
            return False
        return True

    assert reads(lambda: changes("schedule", {"cron": cron})) == reads(lambda: parse_cron(cron))


def test_durations_are_those_of_the_kinds() -> None:
    assert triggers.DURATION == durations.PATTERN


def test_an_object_without_a_title_is_called_by_its_name() -> None:
    setting = Setting.model_validate({"metadata": {"name": "one"}, "spec": {}})
    fields = records.of_setting(setting, None)
    assert (fields["name"], fields["created_at"], fields["value"]) == ("one", None, None)


def test_every_field_that_filters_know_is_there() -> None:
    shown = {
        "setting": records.of_setting(Setting.model_validate(item()), None),
        "schema": records.of_schema(Schema.model_validate(item(schema={}))),
        "flow": records.of_flow(Flow.model_validate(item(script=SCRIPT))),
        "connector": records.of_connector(Connector.model_validate(item(type="GIT")), frozenset()),
        "schedule": records.of_schedule(Schedule.model_validate(item(flow="f", cron="@daily"))),
        "webhook": records.of_webhook(Webhook.model_validate(item(flow="f"))),
    }
    assert {kind: set(fields) for kind, fields in shown.items()} == {
        kind: set(fields) for kind, fields in FIELDS.items()
    }


def test_a_change_replaces_whole_keys_in_the_version_that_was_read() -> None:
    wanted = [Change("value", {"a": None}), Change("description", None)]
    assert records.patch(wanted, "7") == [
        {"op": "add", "path": "/metadata/resourceVersion", "value": "7"},
        {"op": "add", "path": "/spec/value", "value": {"a": None}},
        {"op": "add", "path": "/spec/description", "value": None},
    ]


def test_a_new_object_has_a_title_where_its_name_is_not_what_it_is_called() -> None:
    wanted = [Change("value", 1), Change("description", None)]
    assert records.spec_of(wanted, "one", "one") == {"value": 1}
    assert records.spec_of(wanted, "One", "one") == {"title": "One", "value": 1}


_SUSPENDED = {"suspend": True, "mode": "Development"}


@pytest.mark.parametrize(
    ("kind", "fields", "written"),
    [
        ("setting", {"value": None}, {"value": None}),
        (
            "setting",
            {"value": 2**63 - 1, "description": ""},
            {"value": 2**63 - 1, "description": None},
        ),
        ("schema", {"value": {"type": "object"}}, {"schema": {"type": "object"}}),
        (
            "schema",
            {"value": {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]}},
            {"schema": {"$schema": "http://json-schema.org/draft-07/schema#", "items": [{}]}},
        ),
        ("flow", {"script": SCRIPT, "is_enabled": False}, {"script": SCRIPT, "suspend": True}),
        (
            "flow",
            {"input_schema": {"type": "object"}, "output_schema": None},
            {"inputSchema": {"type": "object"}, "outputSchema": None},
        ),
        ("connector", {"connector_type": "GIT", "value": {}}, {"type": "GIT", "inputs": {}}),
        ("schedule", {"cron": "30 6 * * 1-5"}, {"cron": "30 6 * * 1-5", "interval": None}),
        ("schedule", {"interval": "1h30m"}, {"interval": "1h30m", "cron": None}),
        ("schedule", {"cron": "@daily", "interval": None}, {"cron": "@daily", "interval": None}),
        ("schedule", {"is_enabled": False, "is_productive": False}, _SUSPENDED),
        ("schedule", {"time_zone": "Europe/Vienna"}, {"timeZone": "Europe/Vienna"}),
        ("schedule", {"time_zone": None, "cron": None}, {"timeZone": None, "cron": None}),
        (
            "schedule",
            {"concurrency_policy": "Forbid", "starting_deadline": "90s"},
            {"concurrencyPolicy": "Forbid", "startingDeadline": "90s"},
        ),
        ("schedule", {"flow_name": "f", "input_value": {}}, {"flow": "f", "inputs": {}}),
        ("webhook", {"is_enabled": True, "is_async": True}, {"enabled": True, "async": True}),
        ("webhook", {"methods": ["PUT"], "max_bytes": 9}, {"methods": ["PUT"], "maxBytes": 9}),
        ("webhook", {"protect_inputs": ["json"]}, {"protectInputs": ["json"]}),
        ("webhook", {"timeout": None, "methods": None}, {"timeout": None, "methods": None}),
    ],
)
def test_what_a_script_may_write(kind: str, fields: JsonObject, written: JsonObject) -> None:
    assert dict(changes(kind, fields)) == written


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        ("setting", {"title": "x"}, "InvalidInputError: a script cannot set 'title' of a setting"),
        ("setting", {"description": 1}, "description is a text"),
        ("setting", {"description": "x" * 16385}, "at most 16384 characters"),
        ("setting", {"value": "é" * (MAX_VALUE // 2)}, f"has {MAX_VALUE + 2} bytes as JSON"),
        ("setting", {"value": {"a": [-(2**63) - 1]}}, "an integer of more than 64 bits"),
        ("schema", {"value": True}, "SchemaError: a schema is an object"),
        ("schema", {"value": {"type": 7}}, "SchemaError: schema.type"),
        ("schema", {"value": {"$ref": "https://example.com/x"}}, "points to another document"),
        ("schema", {"value": {"$schema": "http://json-schema.org/draft-04/schema#"}}, "draft-07"),
        ("flow", {"input_schema": {"type": 7}}, "SchemaError: schema.type"),
        ("flow", {"output_schema": [1]}, "SchemaError: a schema is an object"),
        ("flow", {"script": ""}, "script is a text of 1 to"),
        ("flow", {"script": "x = ("}, "the script cannot be run: line 1"),
        ("flow", {"is_enabled": 1}, "is_enabled is True or False"),
        ("flow", {"allow": ["flows"]}, "a script cannot set 'allow' of a flow"),
        ("flow", {"runner": {}}, "a script cannot set 'runner' of a flow"),
        ("connector", {"secret_inputs": []}, "a script cannot set 'secret_inputs'"),
        ("connector", {"connector_type": ""}, "connector_type is a text"),
        ("connector", {"value": []}, "value is an object"),
        ("schedule", {"flow_name": ""}, "flow_name is a text of 1 to 253 characters"),
        ("schedule", {"cron": "60 * * * *"}, "cron cannot be read: Bad minute"),
        ("schedule", {"cron": "0 0 31 2 *"}, "cron cannot be read: Bad day-of-month"),
        ("schedule", {"cron": "* * * * * *"}, "cron has five fields"),
        ("schedule", {"cron": "@reboot"}, "cron has five fields"),
        ("schedule", {"cron": 5}, "cron is a text"),
        ("schedule", {"cron": "@daily", "interval": "1h"}, "either a cron or an interval"),
        ("schedule", {"interval": 300}, "interval is a duration, a text such as"),
        ("schedule", {"interval": "5 m"}, "interval is a duration"),
        ("schedule", {"interval": "999ms"}, "interval is too short or too long: 999ms"),
        ("schedule", {"interval": "87601h"}, "interval is too short or too long"),
        ("schedule", {"starting_deadline": "0s"}, "starting_deadline is too short"),
        ("schedule", {"starting_deadline": "soon"}, "starting_deadline is a duration"),
        ("schedule", {"time_zone": "Vienna"}, "there is no time zone 'Vienna'"),
        ("schedule", {"time_zone": "../etc/passwd"}, "there is no time zone"),
        ("schedule", {"time_zone": 1}, "time_zone is the name of a time zone"),
        ("schedule", {"concurrency_policy": "forbid"}, "one of Allow, Forbid, Replace"),
        ("schedule", {"is_productive": "yes"}, "is_productive is True or False"),
        ("schedule", {"input_value": [1]}, "input_value is an object"),
        ("schedule", {"next_scheduled_for": None}, "a script cannot set 'next_scheduled_for'"),
        ("webhook", {"methods": []}, "methods is a list of some of GET, HEAD"),
        ("webhook", {"methods": ["GET", "GET"]}, "each once"),
        ("webhook", {"methods": ["TRACE"]}, "methods is a list of some of"),
        ("webhook", {"methods": [["GET"]]}, "methods is a list of some of"),
        ("webhook", {"protect_outputs": "token"}, "protect_outputs is a list of at most 100 keys"),
        ("webhook", {"protect_inputs": ["k"] * 101}, "protect_inputs is a list of at most"),
        ("webhook", {"max_bytes": True}, "max_bytes is a whole number"),
        ("webhook", {"max_bytes": 2**24}, "max_bytes is a whole number from 1 to 10485760"),
        ("webhook", {"timeout": 60}, "timeout is a duration"),
        ("webhook", {"key_secret_ref": {}}, "a script cannot set 'key_secret_ref' of a webhook"),
        ("webhook", {"hmac": None}, "a script cannot set 'hmac' of a webhook"),
        ("webhook", {"is_key_required": False}, "a script cannot set 'is_key_required'"),
    ],
)
def test_what_a_script_may_not_write_is_said(kind: str, fields: JsonObject, says: str) -> None:
    with pytest.raises(Refusal) as refusal:
        changes(kind, fields)
    assert says in f"{refusal.value.type}: {refusal.value}"


@pytest.mark.parametrize(
    ("kind", "fields", "missing"),
    [
        ("setting", {}, None),
        ("schema", {"description": "x"}, "value"),
        ("flow", {}, "script"),
        ("connector", {"value": {}}, "connector_type"),
        ("connector", {"connector_type": "GIT"}, None),
        ("schedule", {"cron": "@daily"}, "flow_name"),
        ("schedule", {"flow_name": "f"}, "cron' or 'interval"),
        ("schedule", {"flow_name": "f", "interval": "1h"}, None),
        ("webhook", {}, "flow_name"),
        ("webhook", {"flow_name": "f"}, None),
    ],
)
def test_what_a_new_record_needs(kind: str, fields: JsonObject, missing: str | None) -> None:
    if missing is None:
        required(kind, fields)
        return
    with pytest.raises(Refusal, match=f"a new one needs '{missing}'"):
        required(kind, fields)


@pytest.mark.parametrize("model", [Setting, Schema, Schedule, Webhook])
def test_a_resources_title_is_its_name_where_it_has_none(model: type[Resource]) -> None:
    thing = model.model_validate({"metadata": {"name": "one"}, "spec": {"schema": {}, "flow": "f"}})
    assert thing.title == "one"  # type: ignore[attr-defined]
