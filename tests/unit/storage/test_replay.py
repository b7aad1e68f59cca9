"""A journal, interrupted anywhere and any number of times, ends the same."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.engine import Connection

from weir.storage import attempts, operations
from weir.storage.attempts import Attempt
from weir.storage.errors import Fenced
from weir.storage.operations import Record
from weir.storage.tables import metadata


class Interrupted(Exception):
    """The Pod, the server, or both are gone."""


@dataclass
class World:
    """What effects leave behind: one thing for each derived name."""

    effects: dict[str, str] = field(default_factory=dict)
    made: int = 0

    def create(self, name: str) -> str:
        if name not in self.effects:
            self.made += 1
            self.effects[name] = f"uid-{self.made}"
        return self.effects[name]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sa.Engine]:
    path: Path = tmp_path_factory.mktemp("sql") / "replay.db"
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 5})
    metadata.create_all(engine)
    yield engine
    engine.dispose()


def attempt_number(number: int) -> Attempt:
    return Attempt("u", "team", "run", 1, number, f"pod-{number}", float(number))


def perform(
    sql: Connection, world: World, attempt: Attempt, sequence: int, kind: str, broken: str | None
) -> str:
    """Do one operation as the server does: intent, effect, result; broken after one of them."""
    attempts.check(sql, attempt)
    intent = Record("u", 1, sequence, kind, "t", "d", None, None, 0.0)
    record, _ = operations.begin(sql, intent)
    sql.commit()
    if broken == "after the intent":
        raise Interrupted
    if record.result is not None:
        return record.result
    effect = world.create(f"child-{sequence}") if kind == "child" else None
    if broken == "after the effect":
        raise Interrupted
    attempts.check(sql, attempt)
    # What is read may differ each time: it is the record that counts.
    result = json.dumps({"effect": effect, "read": len(world.effects)})
    held = operations.finish(sql, record, result, effect_uid=effect)
    sql.commit()
    if broken == "after the result":
        raise Interrupted
    return held


PLACES = ["after the intent", "after the effect", "after the result"]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(st.sampled_from(["child", "read"]), min_size=1, max_size=6),
    st.lists(st.tuples(st.integers(1, 6), st.sampled_from(PLACES)), max_size=5),
)
def test_a_run_interrupted_anywhere_ends_as_one_that_was_not(
    engine: sa.Engine, script: list[str], breaks: list[tuple[int, str]]
) -> None:
    with engine.connect() as sql:
        for table in metadata.sorted_tables:
            sql.execute(table.delete())
        sql.commit()
        world, number, pending = World(), 0, list(breaks)
        first_answers: dict[int, str] = {}
        while True:
            number += 1
            attempt = attempt_number(number)
            attempts.begin(sql, attempt)
            sql.commit()
            broken = dict([pending.pop(0)]) if pending else {}
            try:
                answers = []
                for sequence, kind in enumerate(script, start=1):
                    answer = perform(sql, world, attempt, sequence, kind, broken.get(sequence))
                    answers.append(answer)
                    # What a script was told once, it is told for ever.
                    assert first_answers.setdefault(sequence, answer) == answer
                break
            except Interrupted:
                continue
        assert world.made == script.count("child")
        assert operations.sequences(sql, "u", 1) == list(range(1, len(script) + 1))
        effects = [json.loads(answer)["effect"] for answer in answers]
        assert [one for one in effects if one] == list(world.effects.values())
        if number > 1:
            with pytest.raises(Fenced):
                attempts.check(sql, attempt_number(number - 1))
