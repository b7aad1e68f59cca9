"""Who may call a Webhook, what the script sees of the request, and what the caller is answered."""

import base64
import hashlib
import hmac
from typing import Any

import pytest

from weir.api.webhook import Hmac, WebhookSpec
from weir.core import webhook_answers, webhook_inputs, webhooks
from weir.core.webhook_answers import BadAnswer
from weir.core.webhook_inputs import BadContent
from weir.core.webhooks import HookRequest, NotAuthentic

SECRET, NOW = b"secret", 1_800_000_000.0


def request(
    body: bytes = b"",
    *,
    method: str = "POST",
    path: str = "/",
    query: tuple[tuple[str, str], ...] = (),
    **headers: str,
) -> HookRequest:
    named = tuple((name.replace("_", "-").lower(), value) for name, value in headers.items())
    return HookRequest(method, path, query, named, body)


def rule(**fields: Any) -> Hmac:
    return Hmac.model_validate({"secretRef": {"name": "a", "key": "b"}} | fields)


def spec(**fields: Any) -> WebhookSpec:
    return WebhookSpec.model_validate({"flow": "a"} | fields)


def made(signed: bytes, algorithm: str = "sha256") -> bytes:
    return hmac.digest(SECRET, signed, algorithm)


KEYED = spec(keySecretRef={"name": "a", "key": "b"})


def test_a_key_is_looked_for_in_query_and_header() -> None:
    asked = request(query=(("key", "a"), ("key", "b"), ("x", "c")), x_weir_key="d")
    assert webhooks.outer_keys(asked, KEYED) == ["a", "b", "d"]
    assert webhooks.is_key(["no", "secret"], SECRET)
    assert not webhooks.is_key([], SECRET)
    assert not webhooks.is_key([""], b"")


@pytest.mark.parametrize("data", [None, [], "key", {"key": 1}, {"key": ["secret"]}, {}])
def test_a_key_in_json_is_a_text(data: Any) -> None:
    assert webhooks.inner_keys({"json": data}) == []


def test_a_signature_may_be_one_of_several() -> None:
    good = made(b"body").hex()
    for header in (good, f"sha256={good}", f"v1={'0' * 64},v1={good}", f"{'A' * 43}= {good}"):
        assert webhooks.verified(request(b"body", x_weir_signature=header), rule(), SECRET, NOW)


def test_signatures_are_remembered_by_what_was_signed_and_not_by_their_spelling() -> None:
    digest = made(b"body")
    spelled = (digest.hex(), digest.hex().upper(), base64.b64encode(digest).decode())
    found = {
        webhooks.verified(request(b"body", x_weir_signature=one), rule(), SECRET, NOW)
        for one in spelled
    }
    assert len(found) == 1
    assert found.pop().until == NOW + 300


@pytest.mark.parametrize("header", ["", "sha256=", "zz", "0" * 64, "sha1=" + "0" * 40, "ü" * 64])
def test_a_wrong_signature_is_none(header: str) -> None:
    with pytest.raises(NotAuthentic):
        webhooks.verified(request(b"body", x_weir_signature=header), rule(), SECRET, NOW)


@pytest.mark.parametrize(
    ("seconds", "good"), [(0, True), (-300, True), (300, True), (-301, False), (301, False)]
)
def test_what_was_signed_too_long_ago_does_not_count(seconds: int, good: bool) -> None:
    moment = str(int(NOW) + seconds)
    signed = made(f"{moment}.body".encode()).hex()
    asked = request(b"body", x_weir_signature=signed, x_time=moment)
    if good:
        found = webhooks.verified(asked, rule(timestampHeader="X-Time"), SECRET, NOW)
        # Kept until the time itself is too old.
        assert found.until == max(NOW + seconds + 300, NOW)
    else:
        with pytest.raises(NotAuthentic):
            webhooks.verified(asked, rule(timestampHeader="X-Time"), SECRET, NOW)


@pytest.mark.parametrize("moment", ["", "now", "1e9", "-1", "1800000000, 1800000000", "\u0661"])
def test_a_time_is_digits(moment: str) -> None:
    signed = made(f"{moment}.body".encode()).hex()
    asked = request(b"body", x_weir_signature=signed, x_time=moment)
    with pytest.raises(NotAuthentic):
        webhooks.verified(asked, rule(timestampHeader="X-Time"), SECRET, NOW)


def test_what_is_signed_is_put_together_once() -> None:
    ask = rule(timestampHeader="T", signed="v0:{timestamp}:{x-id}:{body}!")
    signed = made(b"v0:1800000000:{body}:a{timestamp}b!").hex()
    asked = request(b"a{timestamp}b", x_weir_signature=signed, t="1800000000", x_id="{body}")
    assert webhooks.verified(asked, ask, SECRET, NOW)


def test_a_window_of_nothing_remembers_nothing() -> None:
    assert webhooks.remembers(rule())
    assert not webhooks.remembers(rule(window="0s"))
    assert not webhooks.remembers(None)


def test_a_delivery_has_the_name_that_its_sender_gives() -> None:
    first = webhooks.delivery_of(request(x_github_delivery="1"))
    assert first is not None
    assert first == webhooks.delivery_of(request(b"other", x_github_delivery=" 1 "))
    assert first != webhooks.delivery_of(request(x_gitea_delivery="1"))
    assert webhooks.delivery_of(request(idempotency_key=" ")) is None


def test_requests_of_a_delivery_differ_by_more_than_headers() -> None:
    first = webhooks.digest_of(request(b"a", x_a="1"))
    assert first == webhooks.digest_of(request(b"a", x_a="2"))
    others = [request(b"b"), request(b"a", path="/b"), request(b"a", query=(("b", ""),))]
    assert first not in [webhooks.digest_of(one) for one in [*others, request(b"a", method="PUT")]]


def test_credentials_are_not_seen_by_the_script() -> None:
    asked = request(
        b"{}",
        query=(("key", "secret"), ("async", "1"), ("a", "1"), ("a", "2")),
        authorization="a",
        cookie="b",
        x_token="secret",
        x_weir_signature="c",
        x_b="d",
    )
    guarded = spec(
        keySecretRef={"name": "a", "key": "b"},
        keyHeader="X-Token",
        hmac={"secretRef": {"name": "a", "key": "c"}},
        inputs={"method": "never", "c": 1},
    )
    seen = webhook_inputs.input_value(
        asked, guarded, {"json": {"key": "secret", "b": 1}}, b"secret"
    )
    assert seen == {
        "c": 1,
        "method": "POST",
        "path": "/",
        "query": {"a": ["1", "2"]},
        "headers": {"x-b": "d"},
        "json": {"b": 1},
    }


def test_a_word_called_key_that_is_no_credential_is_the_scripts() -> None:
    asked = request(query=(("key", "a"),))
    content = {"json": {"key": "ABC-1"}}
    assert webhook_inputs.input_value(asked, KEYED, content, b"secret")["json"] == content["json"]
    seen = webhook_inputs.input_value(asked, spec(), content, None)
    assert (seen["query"], seen["json"]) == ({"key": "a"}, content["json"])


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[" * 65 + b"]" * 65,
        b"[" * 100_000,
        b"NaN",
        b"-Infinity",
        b"1e400",
        b"1" * 5000,
        b'"\\udc00"',
        b'{"\\ud800": 1}',
        b"\xff",
        b"[" + b"0," * 500_001 + b"0]",
    ],
)
def test_what_is_no_good_json_is_refused(body: bytes) -> None:
    if body:
        with pytest.raises(BadContent):
            webhook_inputs.content_of(request(body, content_type="application/json"))
    else:
        assert webhook_inputs.content_of(request(body, content_type="application/json")) == {}


def test_json_may_be_64_levels_deep() -> None:
    body = b"[" * 64 + b"]" * 64
    assert webhook_inputs.content_of(request(body, content_type="application/json; a=b"))["json"]


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("/", True),
        ("/a/b c/ü", True),
        ("/a..b/...", True),
        ("/../a", False),
        ("/a/.", False),
        ("/a\\b", False),
        ("/a\x00", False),
        ("/" + "a" * 2048, False),
    ],
)
def test_a_path_means_one_thing_to_all(path: str, good: bool) -> None:
    assert webhook_inputs.is_plain_path(path) == good


@pytest.mark.parametrize(
    ("given", "status", "kind", "body"),
    [
        ({"status": 201, "body": "a"}, 201, "text/plain; charset=utf-8", b"a"),
        ({"body": {"a": [1]}}, 200, "application/json", b'{"a":[1]}'),
        ({"headers": {"Content-Type": "text/html"}, "body": "a"}, 200, "text/html", b"a"),
        ({"status": 204, "body": "a"}, 204, None, b""),
        ({}, 200, None, b""),
    ],
)
def test_a_script_says_what_is_answered(
    given: dict[str, Any], status: int, kind: str | None, body: bytes
) -> None:
    found = webhook_answers.answer_of({"webhook_response": given, "other": 1}, [])
    headers = dict(found.headers)
    assert (found.status, headers.get("content-type"), found.body) == (status, kind, body)
    assert headers["content-security-policy"].startswith("sandbox")


@pytest.mark.parametrize(
    "given",
    [
        "text",
        {"status": 199},
        {"status": 600},
        {"status": True},
        {"status": "200"},
        {"headers": ["a"]},
        {"headers": {"a b": "c"}},
        {"headers": {"a": "b\nc"}},
        {"headers": {"a": "b\x00"}},
        {"headers": {"a": None}},
        {"headers": {"a": "b" * 9000}},
        {"headers": {"": "b"}},
        {"headers": {f"a{number}": "" for number in range(101)}},
    ],
)
def test_what_cannot_be_sent_is_refused_as_a_whole(given: Any) -> None:
    with pytest.raises(BadAnswer):
        webhook_answers.answer_of({"webhook_response": given}, [])


def test_protected_outputs_are_masked() -> None:
    outputs = {"a": 1, "webhook_response": {"body": "secret"}}
    found = webhook_answers.answer_of(outputs, ["webhook_response"])
    assert found.body == b'{"a":1,"webhook_response":"***"}'


def test_digests_of_signatures_fit_their_column() -> None:
    asked = request(b"a", x_weir_signature=made(b"a", "sha512").hex())
    found = webhooks.verified(asked, rule(algorithm="sha512"), SECRET, NOW)
    assert len(found.digest) == len(hashlib.sha256().hexdigest())
