"""Forms of messages: which can be drawn, and which answers fit."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weir_protocol import forms
from weir_protocol.forms import FormError, ResponseError

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def body(*required: str, **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def completed(element: dict[str, Any], value: Any, *, required: bool = False) -> Any:
    form = forms.form(body(*(["x"] if required else []), x=element))
    return form.completed({"x": value})["x"]


@pytest.mark.parametrize(
    ("element", "value", "expected"),
    [
        ({"element": "string"}, "Ada", "Ada"),
        ({"element": "string"}, "", ""),
        ({}, "what has no element is a text", "what has no element is a text"),
        ({"type": "string"}, "text", "text"),
        ({"element": "string", "enum": ["a", "b"]}, "b", "b"),
        ({"element": "string", "minLength": 2, "maxLength": 3}, "abc", "abc"),
        ({"element": "string", "format": "date"}, "2026-01-31", "2026-01-31"),
        ({"element": "string", "format": "date"}, "", ""),
        ({"element": "string", "format": "email"}, "only a hint", "only a hint"),
        ({"element": "number"}, 1.5, 1.5),
        ({"element": "number"}, 10**400, 10**400),
        ({"element": "number", "type": "integer"}, 2, 2),
        ({"element": "number", "type": "integer"}, 2.0, 2),
        ({"type": "integer"}, 2, 2),
        ({"element": "number", "minimum": 1, "maximum": 3}, 3, 3),
        ({"element": "number", "enum": [1, 2]}, 2, 2),
        ({"element": "toggle"}, True, True),
        ({"element": "toggle"}, None, False),
        ({"element": "toggle", "default": True}, None, True),
        ({"type": "boolean"}, False, False),
        ({"element": "password"}, "secret", "secret"),
        ({"element": "time"}, "2026-01-31T13:30:00Z", "2026-01-31T13:30:00Z"),
        ({"element": "time", "format": "time"}, "13:30", "13:30"),
        ({"element": "time", "format": "date"}, "", None),
        ({"element": "string", "default": "Ada"}, None, "Ada"),
        ({"element": "string", "default": "Ada"}, "Grace", "Grace"),
        ({"element": "string"}, None, None),
    ],
)
def test_a_value_that_fits_is_taken(element: dict[str, Any], value: Any, expected: Any) -> None:
    taken = completed(element, value)
    assert taken == expected
    assert type(taken) is type(expected)


@pytest.mark.parametrize(
    ("element", "value", "expected"),
    [
        ({"element": "string"}, 1, "must be a string"),
        ({"element": "string", "enum": ["a", "b"]}, "c", 'must be one of ["a", "b"]'),
        ({"element": "string", "minLength": 2}, "a", "must have at least 2 characters"),
        ({"element": "string", "maxLength": 2}, "abc", "must have at most 2 characters"),
        ({"element": "string", "format": "date"}, "31.1.", "must be a date such as 2026-01-31"),
        ({"element": "number"}, "1", "must be a number"),
        ({"element": "number"}, True, "must be a number"),
        ({"element": "number", "type": "integer"}, 1.5, "must be an integer"),
        ({"element": "number", "minimum": 1}, 0, "must be at least 1"),
        ({"element": "number", "maximum": 1.5}, 2, "must be at most 1.5"),
        ({"element": "toggle"}, "yes", "must be a boolean"),
        ({"element": "toggle"}, 1, "must be a boolean"),
        ({"element": "password"}, 1234, "must be a string"),
        ({"element": "time"}, "noon", "must be a date-time such as 2026-01-31T13:30:00+01:00"),
        ({"element": "time", "format": "time"}, "25:00", "must be a time such as 13:30"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_and_not_repeated(
    element: dict[str, Any], value: Any, expected: str
) -> None:
    with pytest.raises(ResponseError) as refused:
        completed(element, value)
    assert str(refused.value) == f"x: {expected}"


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("element", ["string", "number", "password", "time"])
def test_a_required_field_is_filled_in(element: str, value: Any) -> None:
    with pytest.raises(ResponseError, match="x: is required"):
        completed({"element": element}, value, required=True)


def test_a_default_does_for_a_required_field() -> None:
    assert completed({"element": "number", "default": 3}, None, required=True) == 3


def test_a_required_toggle_is_set_either_way() -> None:
    assert completed({"element": "toggle"}, False, required=True) is False
    with pytest.raises(ResponseError, match="is required"):
        completed({"element": "toggle"}, None, required=True)


def test_all_that_is_wrong_is_said_at_once() -> None:
    form = forms.form(body("name", name={}, count={"element": "number"}))
    with pytest.raises(ResponseError) as refused:
        form.completed({"count": "3", "colour": "red"})
    assert str(refused.value) == (
        "colour: there is no such field; there are name, count; "
        "name: is required; count: must be a number"
    )


def test_a_text_between_the_fields_has_no_value() -> None:
    form = forms.form(body(about={"element": "markdown", "description": "# Hi"}, name={}))
    assert form.completed({"name": "Ada"}) == {"name": "Ada"}
    with pytest.raises(ResponseError, match="about: there is no such field"):
        form.completed({"about": "x"})


BUTTONS = body(name={}, approve={"element": "submit"}, reject={"element": "submit"})


@pytest.mark.parametrize(
    ("response", "approve", "reject"),
    [
        ({"approve": True}, True, False),
        ({"reject": True}, False, True),
        ({"approve": False, "reject": True}, False, True),
    ],
)
def test_exactly_the_button_that_was_pressed_is_true(
    response: dict[str, Any], approve: bool, reject: bool
) -> None:
    expected = {"name": None, "approve": approve, "reject": reject}
    assert forms.form(BUTTONS).completed(response) == expected


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        ({}, "one button is to be pressed: approve=true, reject=true"),
        ({"approve": True, "reject": True}, "one button is to be pressed"),
        ({"approve": False}, "one button is to be pressed"),
        ({"approve": "yes"}, "approve: must be a boolean"),
    ],
)
def test_of_several_buttons_one_is_pressed(response: dict[str, Any], expected: str) -> None:
    with pytest.raises(ResponseError, match=expected):
        forms.form(BUTTONS).completed(response)


def test_a_single_button_is_pressed_by_answering() -> None:
    form = forms.form(body(send={"element": "submit", "label": "Send"}))
    assert form.completed({}) == form.completed({"send": True}) == {"send": True}
    with pytest.raises(ResponseError, match="one button is to be pressed"):
        form.completed({"send": False})


def test_a_request_is_one_text() -> None:
    form = forms.form(None, "text")
    assert form.completed({"string": "Ada"}) == {"string": "Ada"}
    assert forms.form(None, "Your name").fields[0].label == "Your name"
    with pytest.raises(ResponseError, match="string: is required"):
        form.completed({})


@pytest.mark.parametrize("form", [None, body(about={"element": "markdown"})])
def test_without_fields_there_is_an_ok_button(form: dict[str, Any] | None) -> None:
    notice = forms.form(form)
    assert notice.is_notice
    assert notice.completed({}) == notice.completed({"ok": True}) == {"ok": True}
    with pytest.raises(ResponseError, match="no fields"):
        notice.completed({"ok": False})


def test_a_response_has_its_limit() -> None:
    with pytest.raises(ResponseError, match="at most 65536 bytes"):
        completed({}, "x" * forms.MAX_RESPONSE)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ([], "body must be an object"),
        ({"properties": []}, "body must be an object with `properties`"),
        ({"properties": {}}, "must have 1 to 100 elements"),
        ({"type": "array", "properties": {"a": {}}}, "body.type must be 'object'"),
        ({"properties": {"a": "string"}}, "body.properties.a must be an object"),
        ({"properties": {"": {}}}, "a field's name has 1 to 253 characters"),
        (body(a={"element": "wheel"}), "a.element must be one of string, number, toggle"),
        (body(a={"type": "array"}), "a.element must be one of"),
        (body(a={"element": "number", "type": "string"}), "'number' or 'integer'"),
        (body(a={"label": 1}), "a.label must be a string"),
        (body(a={"order": "first"}), "a.order must be a number"),
        (body(a={"minLength": 1.5}), "a.minLength must be an integer"),
        (body(a={"enum": "ab"}), "a.enum must be a list"),
        (body(a={"element": "time", "format": "noon"}), "format must be one of date, time"),
        (body(a={"element": "number", "default": "1"}), "a.default must be a number"),
        (body(a={"enum": ["a"], "default": "b"}), "a.default must be one of"),
        (body("b", a={}), "body.required names 'b', which is no field"),
        ({"properties": {"a": {}}, "required": "a"}, "body.required must be a list of names"),
        (body(a={"description": "x" * forms.MAX_FORM}), "body has at most 65536 bytes"),
    ],
)
def test_a_form_that_cannot_be_drawn_is_refused(bad: Any, expected: str) -> None:
    with pytest.raises(FormError) as refused:
        forms.form(bad)
    assert expected in str(refused.value)


def test_a_message_has_a_form_or_a_request() -> None:
    with pytest.raises(FormError, match="either request or body"):
        forms.form(body(a={}), "text")


def test_order_goes_before_place() -> None:
    form = forms.form(body(b={}, a={"order": 2}, c={"order": 1}, d={}))
    assert [field.name for field in form.fields] == ["c", "a", "b", "d"]


def test_the_order_of_keys_outlives_a_store_that_sorts_them() -> None:
    asked = body(b={}, a={"order": 2}, c={"order": 1}, d={})
    stored = forms.ordered(asked)
    stored["properties"] = dict(sorted(stored["properties"].items()))
    names = [field.name for field in forms.form(stored).fields]
    assert names == [field.name for field in forms.form(asked).fields]
    assert "order" not in asked["properties"]["b"]


def test_password_fields_are_known() -> None:
    form = forms.form(body(user={}, key={"element": "password"}))
    assert form.secrets == {"key"}


@pytest.mark.parametrize(
    ("element", "text", "value"),
    [
        ("string", "3", "3"),
        ("password", "true", "true"),
        ("number", "3", 3),
        ("number", "-2.5", -2.5),
        ("toggle", "Yes", True),
        ("toggle", "off", False),
        ("submit", "true", True),
    ],
)
def test_a_text_of_the_command_line_becomes_a_value(element: str, text: str, value: Any) -> None:
    field = forms.form(body(x={"element": element})).field("x")
    assert field is not None
    assert field.value_of(text) == value


@pytest.mark.parametrize(("element", "text"), [("number", "three"), ("number", "nan")])
def test_a_text_that_means_nothing_is_refused(element: str, text: str) -> None:
    field = forms.form(body(x={"element": element})).field("x")
    assert field is not None
    with pytest.raises(ResponseError, match="x: must be a number"):
        field.value_of(text)


def test_a_toggle_takes_words_for_yes_and_no() -> None:
    field = forms.form(body(x={"element": "toggle"})).field("x")
    assert field is not None
    with pytest.raises(ResponseError, match="true or false"):
        field.value_of("perhaps")


@given(JSON)
def test_whatever_a_form_is_it_can_be_drawn_or_is_refused(anything: Any) -> None:
    try:
        forms.form(anything)
        forms.form({"properties": {"a": anything}})
    except FormError:
        pass


@given(st.dictionaries(st.sampled_from(["name", "approve", "reject", "z"]), JSON))
def test_whatever_an_answer_is_it_is_complete_or_refused(response: dict[str, Any]) -> None:
    form = forms.form(BUTTONS)
    try:
        whole = form.completed(response)
    except ResponseError:
        return
    assert whole.keys() == {"name", "approve", "reject"}
    assert form.completed(whole) == whole
