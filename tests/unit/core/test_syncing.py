from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.builders import HANDLER
from weir.api import names
from weir.api.flow import Flow
from weir.api.reasons import Reason
from weir.api.repository import FlowRepositorySpec, PathRule, RejectedFile
from weir.api.resource import JsonObject
from weir.core.sources import SourceFile, rejected
from weir.core.syncing import Changes, Desired, Live, Read, digest_of, live_of, plan, read

SPEC = FlowRepositorySpec(
    url="https://git.example.com/flows.git",
    paths=[
        PathRule(glob="**/*.py", kind="Flow"),
        PathRule(glob="settings/*", kind="Setting"),
        PathRule(glob="**/*.yaml", kind="Manifest"),
    ],
)
Namespace = dict[tuple[str, str], JsonObject]


def reading(files: dict[str, str], repository: str = "team") -> Read:
    sources = [SourceFile(path, text.encode()) for path, text in files.items()]
    return read(sources, SPEC, namespace="demo", repository=repository)


def planned(
    namespace: Namespace, found: Read, repository: str = "team", *, prune: bool = True
) -> Changes:
    live = [live_of(kind, item) for (kind, _), item in namespace.items()]
    return plan(found.desired, live, repository=repository, prune=prune, rejected=found.rejected)


def carry_out(namespace: Namespace, changes: Changes) -> None:
    """Do to a namespace what is to be done, as an API server would."""
    for one in changes.apply:
        namespace[one.kind, one.name] = {**one.body, "status": {}}
    for gone in changes.delete:
        del namespace[gone.kind, gone.name]


def synced(namespace: Namespace, files: dict[str, str]) -> Changes:
    changes = planned(namespace, reading(files))
    carry_out(namespace, changes)
    return changes


def called(things: list[Desired] | list[Live]) -> list[str]:
    return [f"{one.kind}/{one.name}" for one in things]


def by_hand(kind: str, name: str, *, repository: str | None = None) -> JsonObject:
    labels = {names.REPOSITORY_LABEL: repository} if repository else {}
    spec = {"script": HANDLER} if kind == "Flow" else {"value": "by hand"}
    return {"metadata": {"name": name, "uid": "1", "labels": labels}, "spec": spec}


def setting(name: str, value: Any = 1) -> str:
    return (
        "apiVersion: weir.dev/v1alpha1\nkind: Setting\n"
        f"metadata: {{name: {name}}}\nspec: {{value: {value}}}\n"
    )


def test_a_second_sync_has_nothing_to_do() -> None:
    namespace: Namespace = {}
    files = {"a.py": HANDLER, "s.yaml": setting("s")}
    assert called(synced(namespace, files).apply) == ["Flow/a", "Setting/s"]
    again = planned(namespace, reading(files))
    assert (again.apply, again.delete, again.unchanged, again.mine) == ([], [], 2, 2)


def test_what_changed_is_written_and_nothing_else() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER, "b.py": HANDLER})
    changes = planned(namespace, reading({"a.py": HANDLER, "b.py": HANDLER + "\n# new\n"}))
    assert (called(changes.apply), changes.drifted) == (["Flow/b"], [])


def test_what_leaves_the_repository_is_deleted() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER, "b.py": HANDLER})
    assert called(planned(namespace, reading({"b.py": HANDLER})).delete) == ["Flow/a"]
    assert not planned(namespace, reading({"b.py": HANDLER}), prune=False).delete


@pytest.mark.parametrize("files", [{}, {"README.md": "x"}, {"a.py": "x"}, {"s.yaml": "# none"}])
def test_nothing_is_deleted_when_no_file_brings_anything(files: dict[str, str]) -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER, "b.py": HANDLER})
    assert not planned(namespace, reading(files)).delete


def test_a_file_that_moves_is_written_again_under_its_new_path() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER})
    changes = synced(namespace, {"x/a.py": HANDLER})
    assert (called(changes.apply), changes.delete) == (["Flow/a"], [])
    assert namespace["Flow", "a"]["metadata"]["annotations"][names.SOURCE_PATH] == "x/a.py"


def test_new_labels_of_a_manifest_are_written() -> None:
    namespace: Namespace = {}
    synced(namespace, {"s.yaml": setting("s")})
    labelled = setting("s").replace("{name: s}", "{name: s, labels: {team: a}}")
    changes = synced(namespace, {"s.yaml": labelled})
    assert (called(changes.apply), changes.drifted) == (["Setting/s"], [])
    assert not planned(namespace, reading({"s.yaml": labelled})).apply


def test_a_change_by_hand_is_undone_and_told() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER})
    namespace["Flow", "a"]["spec"] = {"script": "# changed"}
    changes = planned(namespace, reading({"a.py": HANDLER}))
    assert (called(changes.apply), called(changes.drifted)) == (["Flow/a"], ["Flow/a"])


def test_an_object_that_was_deleted_by_hand_comes_again() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER})
    namespace.clear()
    assert called(planned(namespace, reading({"a.py": HANDLER})).apply) == ["Flow/a"]


def test_an_object_that_is_handed_over_is_taken() -> None:
    namespace = {("Flow", "a"): by_hand("Flow", "a", repository="team")}
    assert called(planned(namespace, reading({"a.py": HANDLER})).apply) == ["Flow/a"]


def test_a_label_alone_makes_nothing_ours_to_delete() -> None:
    namespace = {("Flow", "other"): by_hand("Flow", "other", repository="team")}
    assert not planned(namespace, reading({"a.py": HANDLER})).delete


def test_a_repository_under_a_new_name_takes_nothing_from_the_old_one() -> None:
    namespace: Namespace = {}
    synced(namespace, {"a.py": HANDLER, "b.py": HANDLER})
    changes = planned(namespace, reading({"a.py": HANDLER}, "renamed"), "renamed")
    assert (changes.apply, changes.delete, changes.mine) == ([], [], 0)
    assert [one.reason for one in changes.rejected] == [Reason.NOT_OURS]


def test_what_a_bad_file_had_brought_stays() -> None:
    namespace: Namespace = {}
    both = setting("s") + "---\n" + setting("t")
    synced(namespace, {"a.py": HANDLER, "s.yaml": both})
    changes = planned(namespace, reading({"a.py": HANDLER, "s.yaml": setting("s") + "---\nx: 1\n"}))
    assert (changes.apply, changes.delete) == ([], [])
    assert [one.path for one in changes.rejected] == ["s.yaml"]


def test_the_first_file_by_path_takes_an_object_from_a_later_one() -> None:
    namespace: Namespace = {}
    synced(namespace, {"z/a.py": HANDLER})
    files = {"z/a.py": HANDLER, "b/a.py": HANDLER}
    changes = synced(namespace, files)
    assert called(changes.apply) == ["Flow/a"]
    assert [(one.path, one.reason) for one in changes.rejected] == [("z/a.py", Reason.DUPLICATE)]
    assert not planned(namespace, reading(files)).apply


def test_a_bad_path_is_no_path_of_an_object() -> None:
    found = read(
        [SourceFile("a\n.py", HANDLER.encode())], SPEC, namespace="demo", repository="team"
    )
    assert [one.reason for one in found.rejected] == [Reason.INVALID_NAME]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"script": "x"}, {"script": "x", "startTimeout": "10m", "suspend": False}),
        ({"script": "x", "retry": {"factor": 2}}, {"script": "x", "retry": {"factor": 2.0}}),
        ({"script": "x", "inputSchema": {"m": 1.0}}, {"script": "x", "inputSchema": {"m": 1}}),
        (
            {"script": "x", "inputSchema": {"m": 12345678901234567890}},
            {"script": "x", "inputSchema": {"m": 12345678901234567000.0}},
        ),
        ({"script": "x", "title": None}, {"script": "x"}),
    ],
)
def test_what_the_api_server_makes_of_a_spec_is_no_change(
    one: JsonObject, other: JsonObject
) -> None:
    assert digest_of("Flow", one) == digest_of("Flow", other)


@pytest.mark.parametrize(
    "other",
    [
        {"script": "y"},
        {"script": "x", "suspend": True},
        {"script": "x", "inputSchema": {}},
        {"script": "x", "inputSchema": {"a": None}},
        {"script": "x", "runner": {}},
    ],
)
def test_a_spec_that_says_something_else_has_another_digest(other: JsonObject) -> None:
    assert digest_of("Flow", {"script": "x"}) != digest_of("Flow", other)


def test_a_spec_that_is_not_understood_has_a_digest() -> None:
    assert digest_of("Flow", {"script": 7}) != digest_of("Flow", {"script": "7"})


def test_a_flow_as_the_operator_keeps_it_is_as_its_file_says() -> None:
    one = reading({"a.py": HANDLER, "flow.yaml": "retry: {limit: 2}\nrunner: {}\n"}).desired[0]
    kept = Flow.model_validate(one.body).compacted()
    item = {"metadata": kept.metadata.dump(), "spec": kept.spec.dump()}
    assert live_of("Flow", item).digest == one.digest


# Any history of any namespace

PATHS = ["a.py", "b.py", "x/a.py", "m.yaml", "n.yaml", "settings/s.json", "flow.yaml", "README.md"]
TEXTS = [
    HANDLER,
    HANDLER + "\n# another\n",
    "# weir: name=b\n" + HANDLER,
    "def handler(",
    setting("s"),
    setting("s", 2) + "---\n" + setting("t"),
    setting("t"),
    "a: b: c",
    "timeout: 5m",
    "{}",
]
FILES = st.dictionaries(st.sampled_from(PATHS), st.sampled_from(TEXTS), max_size=len(PATHS))
KEYS = [("Flow", "a"), ("Flow", "b"), ("Setting", "s"), ("Setting", "t"), ("Setting", "u")]
OTHERS = st.dictionaries(
    st.sampled_from(KEYS), st.sampled_from([None, "team", "other"]), max_size=len(KEYS)
)
HISTORY = st.lists(FILES, min_size=1, max_size=5)


def namespace_of(others: dict[tuple[str, str], str | None]) -> Namespace:
    return {key: by_hand(*key, repository=whose) for key, whose in others.items()}


@settings(max_examples=300, deadline=None)
@given(others=OTHERS, history=HISTORY, prune=st.booleans())
def test_after_any_sync_another_has_nothing_to_do(
    others: dict[tuple[str, str], str | None], history: list[dict[str, str]], prune: bool
) -> None:
    namespace = namespace_of(others)
    for files in history:
        found = reading(files)
        changes = planned(namespace, found, prune=prune)
        carry_out(namespace, changes)
        again = planned(namespace, found, prune=prune)
        assert (again.apply, again.delete, again.drifted) == ([], [], [])
        assert again.rejected == changes.rejected
        assert again.mine == changes.mine


@settings(max_examples=300, deadline=None)
@given(others=OTHERS, history=HISTORY)
def test_what_is_not_ours_is_never_touched(
    others: dict[tuple[str, str], str | None], history: list[dict[str, str]]
) -> None:
    namespace = namespace_of(others)
    foreign = {key: namespace[key] for key, whose in others.items() if whose != "team"}
    for files in history:
        changes = planned(namespace, reading(files))
        touched = {(one.kind, one.name) for one in changes.apply}
        touched |= {(one.kind, one.name) for one in changes.delete}
        assert not touched & foreign.keys()
        carry_out(namespace, changes)
    assert {key: namespace[key] for key in foreign} == foreign


@settings(max_examples=300, deadline=None)
@given(history=HISTORY)
def test_what_a_rejected_file_brought_is_never_deleted(history: list[dict[str, str]]) -> None:
    namespace: Namespace = {}
    for files in history:
        changes = planned(namespace, reading(files))
        bad = {one.path: one.reason for one in changes.rejected}
        assert not [one for one in changes.delete if one.path in bad]
        for one in changes.apply:
            before = namespace.get((one.kind, one.name))
            if before is not None:
                path = before["metadata"]["annotations"][names.SOURCE_PATH]
                assert bad.get(path, Reason.DUPLICATE) == Reason.DUPLICATE
        carry_out(namespace, changes)


@settings(max_examples=200, deadline=None)
@given(files=FILES, others=OTHERS, data=st.data())
def test_the_order_of_files_does_not_matter(
    files: dict[str, str], others: dict[tuple[str, str], str | None], data: st.DataObject
) -> None:
    namespace = namespace_of(others)
    found = reading(files)
    shuffled = reading(dict(data.draw(st.permutations(list(files.items())))))
    assert shuffled == found
    mixed = replace(found, desired=data.draw(st.permutations(found.desired)))
    assert planned(namespace, mixed) == planned(namespace, found)


# Without the commas of a list that nobody reads.
PIECES = (
    "apiVersion: weir.dev/v1alpha1\n|kind: Flow\n|metadata: |{name: a}\n|spec: |&a |*a|<<: *a\n"
    "|- |[|]|{|}|: |? |---\n|'|\"|!!int |!!bool |~|1e999|#|# /// script\n|# ///\n|# weir: |name="
    '|title=|def handler(system, this): pass\n|,|=|a|\t|\0|é|# dependencies = ["x"]\n|script: '
    "|value: |timeout: |labels: |5m\n"
)
PROBLEM = rejected("b.py", Reason.OUTSIDE, "it leads out of the repository")


@settings(max_examples=500, deadline=None)
@example(content=b"!!int", path="m.yaml")
@example(content=b"!!bool x", path="m.yaml")
@given(
    content=st.one_of(
        st.binary(max_size=200),
        st.text(max_size=200).map(lambda text: text.encode(errors="replace")),
        st.lists(
            st.sampled_from(
                PIECES.split("|")
            ),
            max_size=15,
        ).map(lambda parts: "".join(parts).encode()),
    ),
    path=st.sampled_from(["a.py", "m.yaml", "settings/s.json", "settings/s", "flow.yaml",
                          "b.flow.yaml"]),
)  # fmt: skip
def test_whatever_is_in_a_file_the_others_are_taken(content: bytes, path: str) -> None:
    files = [SourceFile(path, content), SourceFile("x/good.py", HANDLER.encode())]
    problems = [SourceFile("b.py", None, PROBLEM)] if "b" not in path else []
    found = read([*files, *problems], SPEC, namespace="demo", repository="team")
    assert "Flow/good" in called(found.desired)
    assert [one for one in problems if PROBLEM not in found.rejected] == []
    for one in found.rejected:
        assert RejectedFile.model_validate(one.dump()).message.isprintable()
