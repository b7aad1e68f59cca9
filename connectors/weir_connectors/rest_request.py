"""Makes the requests of a REST connection: the first, and those that redirects ask for."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass

import httpx

from weir_connectors import rest_body, rest_url
from weir_connectors.connector import Context
from weir_connectors.errors import InvalidInputError
from weir_connectors.rest_failures import Failure, Where
from weir_connectors.rest_headers import HARMLESS, as_cookies, as_headers, credentials_in
from weir_connectors.rest_inputs import REPEATABLE, RestInputs

_AGENT = "Weir"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be sent, and where to. `cookies` and `headers` are for this host alone."""

    method: str
    url: httpx.URL
    headers: list[tuple[str, str]]
    cookies: list[tuple[str, str]]
    body: rest_body.Body
    secrets: list[str]

    def where(self, request: httpx.Request) -> Where:
        """Return a request as messages name it."""
        return Where(request.method, request.url, self.secrets)

    def request(self, client: httpx.AsyncClient) -> httpx.Request:
        """Return the first request."""
        request = client.build_request(
            self.method,
            self.url,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in self.headers],
            content=self.body.content,
            files=self.body.parts or None,
        )
        return self._with_cookies(request)

    def redirected(self, request: httpx.Request, response: httpx.Response) -> httpx.Request:
        """Return the request that a redirect asks for, without what is not for its host.

        Raises:
            Failure: it leads where the request must not go.
        """
        following = response.next_request
        assert following is not None
        where = self.where(request)
        if request.url.scheme == "https" and following.url.scheme == "http":
            target = where.shown(following.url)
            raise Failure(
                where, f"redirects to {target}, which is not encrypted; it is not followed"
            )
        if self._is_for(following.url):
            return self._with_cookies(following)
        if following.method not in REPEATABLE and request.headers.get("Content-Length", "0") != "0":
            target = where.shown(following.url)
            said = (
                f"redirects the body to another host: {target}; if you trust it, give that as url"
            )
            raise Failure(where, said)
        for name in following.headers.keys() - HARMLESS - {"host"}:
            del following.headers[name]
        return following

    def _is_for(self, url: httpx.URL) -> bool:
        """Whether a host may see what was given for the first one."""
        here, there = ((one.scheme, one.port or _PORTS.get(one.scheme)) for one in (self.url, url))
        is_upgrade = (here, there) == (("http", 80), ("https", 443))
        return url.host == self.url.host and (here == there or is_upgrade)

    def _with_cookies(self, request: httpx.Request) -> httpx.Request:
        """Add the cookies that were given to those that the server has set, which win."""
        present = request.headers.get("Cookie", "")
        names = {one.partition("=")[0].strip() for one in present.split(";")}
        given = [f"{name}={value}" for name, value in self.cookies if name not in names]
        if given:
            request.headers["Cookie"] = "; ".join([*([present] if present else []), *given])
        return request


def prepared(inputs: RestInputs, context: Context) -> Wanted:
    """Return what the inputs ask for; hides what it makes of secrets.

    Raises:
        InvalidInputError: the address is none for httpx.
    """
    address = inputs.address()
    try:
        url = httpx.URL(rest_url.with_query(address.address, inputs.params or {}))
        _ = url.host  # raises where it is read, not where it is made
    except (httpx.InvalidURL, UnicodeError):
        name = "hostname" if inputs.url is None else "url"
        expected = "an address whose host name can be looked up"
        raise InvalidInputError(f"REST: invalid input {name}: expected {expected}") from None
    given = as_headers(inputs.headers)
    cookies = as_cookies(inputs.cookies)
    body = rest_body.of(inputs)
    login = _login(inputs, address)
    secrets = _secrets(inputs, address, login, given, cookies)
    _hide(inputs, login, given, cookies, context)
    if "url" in context.secret_inputs:
        for text in rest_url.parts(address.address):
            context.hide(text)
    return Wanted(
        method=inputs.verb,
        url=url,
        headers=_with_ours(given, inputs, login, body, context),
        cookies=cookies,
        body=body,
        secrets=secrets,
    )


def _login(inputs: RestInputs, address: rest_url.RestUrl) -> tuple[str, str] | None:
    """Return who logs in by `basic`; the inputs win over the address."""
    if inputs.authentication_method == "bearer":
        return None
    if inputs.username is not None:
        return inputs.username, inputs.password or ""
    if address.user is not None:
        return address.user, address.password or ""
    return None


def _authorization(inputs: RestInputs, login: tuple[str, str] | None) -> str | None:
    if inputs.authentication_method == "bearer":
        return f"Bearer {inputs.password}"
    if login is not None:
        return f"Basic {base64.b64encode(':'.join(login).encode()).decode()}"
    return None


def _with_ours(
    given: list[tuple[str, str]],
    inputs: RestInputs,
    login: tuple[str, str] | None,
    body: rest_body.Body,
    context: Context,
) -> list[tuple[str, str]]:
    """Return the headers that were given and, where they say nothing of it, ours."""
    ours = {
        "User-Agent": _AGENT,
        "Content-Type": body.type,
        "Authorization": _authorization(inputs, login),
    }
    if not inputs.repeatable():
        ours["Idempotency-Key"] = idempotency_key(context)
    names = {name.lower() for name, _ in given}
    added = [(name, value) for name, value in ours.items() if value and name.lower() not in names]
    return [*given, *added]


def idempotency_key(context: Context) -> str:
    """Return what is the same in every attempt of one try of a run, and nowhere else."""
    if not context.uid:
        return str(uuid.uuid4())
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"weir:{context.uid}/{context.try_number}"))


def _secrets(
    inputs: RestInputs,
    address: rest_url.RestUrl,
    login: tuple[str, str] | None,
    headers: list[tuple[str, str]],
    cookies: list[tuple[str, str]],
) -> list[str]:
    """Return every text that no message may hold."""
    found = [inputs.password, address.password, ":".join(login) if login else None]
    if inputs.proxy is not None:
        found.append(rest_url.parse(inputs.proxy).password)
    found += credentials_in(headers, isinstance(inputs.headers, str))
    found += [value for _, value in cookies]
    return [secret for secret in found if secret]


def _hide(
    inputs: RestInputs,
    login: tuple[str, str] | None,
    headers: list[tuple[str, str]],
    cookies: list[tuple[str, str]],
    context: Context,
) -> None:
    """Hide what is made of secrets, or is part of one: a server may send it back."""
    if login is not None and login[1]:
        context.hide(":".join(login))
    if isinstance(inputs.headers, str):
        for text in credentials_in(headers, True):
            context.hide(text)
    if isinstance(inputs.cookies, str):
        for _, value in cookies:
            context.hide(value)
