"""The messages between runner and server."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import weir_protocol as protocol
from weir_protocol.arguments import ARGUMENTS, OperationKind

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
# JSON has neither NaN nor infinity.
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))
st.register_type_strategy(dict, lambda _: st.dictionaries(st.text(), JSON, max_size=3))


@settings(max_examples=50)
@given(
    st.from_type(protocol.Operation)
    | st.from_type(protocol.End)
    | st.builds(protocol.Answer, value=JSON)
    | st.from_type(protocol.Control)
)
def test_a_message_survives_the_wire(message: object) -> None:
    wire = json.loads(json.dumps(protocol.encode(message)))
    assert protocol.decode(type(message), wire) == message


def test_a_newer_sides_field_is_ignored() -> None:
    assert protocol.decode(protocol.Ask, {"uid": "u", "novelty": 1}) == protocol.Ask(uid="u")


def test_a_missing_field_is_named() -> None:
    with pytest.raises(TypeError, match="message"):
        protocol.decode(protocol.Refusal, {"code": "Fenced"})


def test_every_kind_of_operation_has_its_arguments() -> None:
    assert set(ARGUMENTS) == set(get_args(OperationKind))
