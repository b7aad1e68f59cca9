"""A family as a tree."""

import pytest

from tests.unit.cli.fake import NOW, execution
from weir.api.execution import Execution
from weir.cli import families, trees
from weir.cli.terminal import Terminal


def model(*arguments: str, **facts: object) -> Execution:
    return Execution.model_validate(execution(*arguments, **facts)[1])  # type: ignore[arg-type]


ROOT = model("root", "Failed", duration="3.2s", message="execution leaf (hello) failed: boom")
SECOND = model("second", "Succeeded", parent="root", root="root", sequence=2, duration="0.4s")
FIRST = model(
    "first", "Failed", parent="root", root="root", sequence=1, title="step 1", duration="1.5s"
)
LEAF = model("leaf", "Failed", parent="first", root="root", message="boom", duration="0.7s")


def test_a_tree_is_drawn_with_marks_durations_and_messages() -> None:
    node = trees.build([SECOND, LEAF, ROOT, FIRST], "root")
    assert trees.render(node, now=NOW, terminal=Terminal()) == [
        "root  hello        ✘ Failed     3.2s  execution leaf (hello) failed: boom",
        "├─ first  step 1   ✘ Failed     1.5s",
        "│  └─ leaf  hello  ✘ Failed     0.7s  boom",
        "└─ second  hello   ✔ Succeeded  0.4s",
    ]


def test_children_of_earlier_tries_are_marked() -> None:
    again = model("root", "Running", **{"try": 2})
    children = []
    for name, number in (("old", 1), ("fresh", 2)):
        _, item = execution(name, "Cancelled", parent="root", root="root")
        item["spec"]["parent"]["try"] = number
        children.append(Execution.model_validate(item))
    lines = trees.render(trees.build([again, *children], "root"), now=NOW, terminal=Terminal())
    assert [line.split("  ⊘")[0].split("  ●")[0].rstrip() for line in lines] == [
        "root  hello  (try 2)",
        "├─ old  hello  (of try 1)",
        "└─ fresh  hello",
    ]


def test_without_unicode_it_is_drawn_in_ascii() -> None:
    node = trees.build([SECOND, LEAF, ROOT, FIRST], "root")
    lines = trees.render(node, now=NOW, terminal=Terminal(symbols=False))
    assert all(line.isascii() for line in lines)
    assert lines[2].startswith("|  `- leaf  hello  Failed ")


def test_on_a_terminal_messages_are_cut_to_its_width() -> None:
    node = trees.build([SECOND, LEAF, ROOT, FIRST], "root")
    lines = trees.render(node, now=NOW, terminal=Terminal(width=64))
    assert lines[0].endswith("execution leaf (hello) fa…")
    assert max(map(len, lines)) == 64


def test_phases_have_colours() -> None:
    lines = trees.render(trees.build([LEAF], "leaf"), now=NOW, terminal=Terminal(colours=True))
    assert "\x1b[31m✘ Failed\x1b[0m" in lines[0]


def test_a_subtree_begins_where_it_is_asked_for() -> None:
    node = trees.build([ROOT, FIRST, SECOND, LEAF], "first")
    assert [one.metadata.name for one in trees.walk(node)] == ["first", "leaf"]


def test_a_namesake_of_the_parent_has_no_children() -> None:
    other = Execution.model_validate(
        execution("root")[1] | {"metadata": {"name": "root", "uid": "another"}}
    )
    assert trees.build([other, FIRST], "root").children == ()


def test_a_circle_ends() -> None:
    knot = model("knot", parent="knot", root="knot")
    assert [one.metadata.name for one in trees.walk(trees.build([knot], "knot"))] == ["knot"]


def test_descendants_are_those_below_as_they_are_now() -> None:
    members = [ROOT, LEAF, SECOND, FIRST]
    old = model("first", "Running", parent="root", root="root")
    assert families.below(members, old) == [FIRST, LEAF]


@pytest.mark.parametrize(
    ("run", "words"),
    [
        pytest.param(model("a", "Failed", message="two\nlines"), "two lines", id="its message"),
        pytest.param(
            model(
                "a",
                "Waiting",
                waitingFor=[{"kind": "Execution", "name": f"c{n}"} for n in range(5)],
            ),
            "for c0, c1, c2 and 2 more",
            id="what it waits for",
        ),
        pytest.param(model("a", "Queued", reason="FlowLimit"), "FlowLimit", id="its reason"),
        pytest.param(model("a", "Succeeded", reason="Succeeded"), "", id="nothing that is seen"),
    ],
)
def test_a_run_is_explained_by(run: Execution, words: str) -> None:
    assert trees.explain(run) == words
