from typing import Any

import pytest

from tests.builders import HANDLER
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec
from weir.core.sources import SourceFile
from weir.core.syncing import Desired, Read, read

SPEC = FlowRepositorySpec(url="https://git.example.com/flows.git")


def reading(files: dict[str, str], **spec: Any) -> Read:
    sources = [SourceFile(path, text.encode()) for path, text in files.items()]
    wanted = FlowRepositorySpec.model_validate(SPEC.dump() | spec)
    return read(sources, wanted, namespace="demo", repository="team")


def only(files: dict[str, str], **spec: Any) -> Desired:
    found = reading(files, **spec)
    assert found.rejected == []
    assert len(found.desired) == 1
    return found.desired[0]


def spec_of(files: dict[str, str]) -> dict[str, Any]:
    spec: dict[str, Any] = only(files).body["spec"]
    return spec


@pytest.mark.parametrize(
    ("path", "header", "name", "title"),
    [
        ("hello.py", "", "hello", None),
        ("billing/monthly_report.py", "", "monthly-report", "monthly_report"),
        ("billing/Monthly.py", "", "monthly", "Monthly"),
        ("x.py", "# weir: name=monthly\n", "monthly", None),
        ("x.py", "#!/usr/bin/env python\n# weir: title=Monthly report\n", "monthly-report",
         "Monthly report"),
        ("x.py", '# weir: name=m.x, title="Report, monthly"\n', "m.x", "Report, monthly"),
        ("x.py", '"""Doc."""\n# weir: name=late\n', "x", None),
    ],
)  # fmt: skip
def test_a_flow_is_called_as_its_file_or_its_header_says(
    path: str, header: str, name: str, title: str | None
) -> None:
    one = only({path: header + HANDLER})
    assert (one.name, one.body["spec"].get("title")) == (name, title)


def test_a_title_in_other_letters_gets_a_name_that_no_other_has() -> None:
    one, other = reading({"отчёт.py": HANDLER, "счета.py": HANDLER}).desired
    assert one.name != other.name
    assert {one.body["spec"]["title"], other.body["spec"]["title"]} == {"отчёт", "счета"}


def test_the_docstring_describes_the_flow() -> None:
    assert (
        spec_of({"x.py": f'"""One.\n\n    Two.\n"""\n{HANDLER}'})["description"] == "One.\n\nTwo."
    )


def test_requirements_come_from_the_scripts_metadata() -> None:
    header = (
        '# /// script\n# requires-python = ">=3.11"\n#\n# dependencies = ["requests>=2"]\n# ///\n'
    )
    assert spec_of({"x.py": header + HANDLER})["requirements"] == ["requests>=2"]


def test_a_script_of_ones_own_image_may_want_any_python() -> None:
    header = '# /// script\n# requires-python = "<3.10"\n# ///\n'
    options = "runner: {image: registry.example.com/old}"
    assert spec_of({"x.py": header + HANDLER, "x.flow.yaml": options})["runner"]


def test_options_of_a_script_override_those_of_its_folder_and_its_own() -> None:
    spec = spec_of(
        {
            "a/x.py": '"""Own."""\n' + HANDLER,
            "a/flow.yaml": "timeout: 5m\nmaxConcurrent: 2\nretry: {limit: 1}\n",
            "a/x.flow.yaml": "timeout: 1h\ndescription: Another\nretry: {delay: 1s}\n",
        }
    )
    assert (spec["timeout"], spec["maxConcurrent"]) == ("1h", 2)
    assert spec["description"] == "Another"
    assert spec["retry"] == {"delay": "1s"}


def test_a_folders_options_do_not_reach_into_other_folders() -> None:
    found = reading({"flow.yaml": "timeout: 5m", "x.py": HANDLER, "a/y.py": HANDLER})
    timeouts = {one.name: one.body["spec"].get("timeout") for one in found.desired}
    assert timeouts == {"x": "5m", "y": None}


def test_options_alone_are_no_files_of_the_repository() -> None:
    assert reading({"flow.yaml": "timeout: 5m"}) == Read([], [], 0)


def test_two_files_of_options_for_the_same_are_one_too_many() -> None:
    found = reading({"flow.yaml": "timeout: 5m", "flow.yml": "", "x.py": HANDLER})
    assert [(one.path, one.reason) for one in found.rejected] == [
        ("flow.yml", Reason.DUPLICATE),
        ("x.py", Reason.DUPLICATE),
    ]


def test_a_byte_order_mark_is_no_part_of_a_script() -> None:
    assert spec_of({"x.py": "\ufeff" + HANDLER})["script"] == HANDLER


def test_a_setting_has_its_files_value() -> None:
    rules = [{"glob": "settings/*", "kind": "Setting"}]
    one = only({"settings/Limits.json": '{"a": [1, null, 0.5]}'}, paths=rules)
    assert (one.kind, one.name) == ("Setting", "limits")
    assert one.body["spec"] == {"value": {"a": [1, None, 0.5]}, "title": "Limits"}


def test_yaml_is_read_as_kubectl_reads_it() -> None:
    rules = [{"glob": "*.yaml", "kind": "Setting"}]
    text = "a: 12:30\nb: 2026-11-24\nc: yes\nd: 0x10\ne: 1e3\nf: &x {g: 1}\nh: {<<: *x, i: ~}\n"
    assert only({"s.yaml": text}, paths=rules).body["spec"]["value"] == {
        "a": "12:30", "b": "2026-11-24", "c": True, "d": 16, "e": 1000.0, "f": {"g": 1},
        "h": {"g": 1, "i": None},
    }  # fmt: skip


MANIFEST = """
apiVersion: weir.dev/v1alpha1
kind: Setting
metadata:
  name: limits
  namespace: demo
  uid: 1234
  resourceVersion: "7"
  labels: {team: a, weir.dev/repository: somebody-else}
  annotations: {example.com/why: because, weir.dev/applied: forged, weir.dev/commit: forged}
spec: {value: 1}
status: {since: "2026-11-24T00:00:00Z"}
"""


def test_marks_of_weirs_own_in_a_manifest_count_for_nothing() -> None:
    one = only({"limits.yaml": MANIFEST})
    metadata = one.body["metadata"]
    assert metadata["labels"] == {"team": "a", "weir.dev/repository": "team"}
    assert metadata["annotations"] == {
        "example.com/why": "because",
        "weir.dev/path": "limits.yaml",
        "weir.dev/applied": one.applied,
    }
    assert one.body.keys() == {"apiVersion", "kind", "metadata", "spec"}


def test_kinds_beyond_the_usual_come_by_a_service_account() -> None:
    hook = "apiVersion: weir.dev/v1alpha1\nkind: Webhook\nmetadata: {name: x}\nspec: {flow: x}\n"
    assert only({"x.yaml": hook}, kinds=["Webhook"], serviceAccountName="sync").kind == "Webhook"


def test_a_repository_may_bring_fewer_kinds() -> None:
    found = reading({"limits.yaml": MANIFEST}, kinds=["Flow"])
    assert [one.reason for one in found.rejected] == [Reason.KIND_NOT_ALLOWED]


def test_scripts_are_not_taken_where_flows_are_not_among_the_kinds() -> None:
    found = reading({"x.py": HANDLER}, kinds=["Setting"])
    assert [one.reason for one in found.rejected] == [Reason.KIND_NOT_ALLOWED]
