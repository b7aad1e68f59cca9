import pytest

from tests.builders import after, flow
from weir.api.flow import Flow
from weir.api.resource import render_time
from weir.core.lookup import Catalog


def made(seconds: float) -> dict[str, str]:
    return {"creationTimestamp": render_time(after(seconds))}


def catalog(*flows: Flow) -> Catalog[Flow]:
    filled: Catalog[Flow] = Catalog()
    for one in flows:
        filled.put(one)
    return filled


SIGN = flow("acs-sign", title="acs.sign")


@pytest.mark.parametrize(
    ("flows", "word", "found"),
    [
        pytest.param([flow("hello")], "hello", "hello", id="by its object name"),
        pytest.param([SIGN], "acs.sign", "acs-sign", id="by its title"),
        pytest.param([SIGN], "acs_sign", "acs-sign", id="by the title's slug"),
        pytest.param(
            [flow("my-other-flow-name")],
            "my_other_flow_name",
            "my-other-flow-name",
            id="by the slug that its object name is",
        ),
        pytest.param([SIGN], "acs", None, id="not by a part"),
        pytest.param([], "hello", None, id="not where there is none"),
        pytest.param(
            [flow("a", title="x_y", metadata=made(5)), flow("b", title="x.y", metadata=made(1))],
            "x y",
            "b",
            id="of two by the same slug the older",
        ),
        pytest.param(
            [flow("a", title="x_y", metadata=made(5)), flow("b", title="x.y", metadata=made(1))],
            "x_y",
            "a",
            id="a title goes before a slug",
        ),
        pytest.param(
            [flow("x", metadata=made(5)), flow("old", title="x", metadata=made(1))],
            "x",
            "old",
            id="a younger object does not take a title by its name",
        ),
    ],
)
def test_a_thing_is_found_by_what_it_is_called(
    flows: list[Flow], word: str, found: str | None
) -> None:
    result = catalog(*flows).find(word)

    assert (result.metadata.name if result else None) == found


@pytest.mark.parametrize(
    ("mine", "other", "is_taken"),
    [
        pytest.param(
            flow("b", title="x", metadata=made(2)),
            flow("a", title="x", metadata=made(1)),
            True,
            id="the younger of two of the same title loses",
        ),
        pytest.param(
            flow("a", title="x", metadata=made(1)),
            flow("b", title="x", metadata=made(2)),
            False,
            id="the older keeps it",
        ),
        pytest.param(
            flow("b", title="a", metadata=made(2)),
            flow("a", metadata=made(1)),
            True,
            id="a title that is an older one's name is taken",
        ),
        pytest.param(
            flow("x", metadata=made(2)),
            flow("a", title="x", metadata=made(1)),
            True,
            id="so is a name that is an older one's title",
        ),
        pytest.param(
            flow("b", title="x", metadata=made(1)),
            flow("a", title="x", metadata=made(1)),
            True,
            id="made in the same second the names decide",
        ),
        pytest.param(flow("a"), flow("b"), False, id="two of different names are no rivals"),
    ],
)
def test_titles_are_unique(mine: Flow, other: Flow, is_taken: bool) -> None:
    assert (catalog(mine, other).title_taken_by(mine) == other) is is_taken


def test_what_was_removed_or_renamed_is_not_found() -> None:
    flows = catalog(flow("a", title="x"), flow("b", title="x"))
    flows.put(flow("a", title="y"))
    flows.remove("b")
    flows.remove("never there")

    assert flows.find("x") is None
    assert flows.find("y") is not None
    assert [one.metadata.name for one in flows] == ["a"]
    assert len(flows) == 1


def test_a_catalog_gives_what_has_exactly_this_name() -> None:
    hello = flow("hello", title="x")

    assert catalog(hello).get("hello") == hello
    assert catalog(hello).get("x") is None
