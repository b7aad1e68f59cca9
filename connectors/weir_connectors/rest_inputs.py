"""The inputs of the REST connection type.

The server imports this module, so it knows no protocol library.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Literal

from weir_connectors import backoff, rest_body, rest_url
from weir_connectors.inputs import Problem, about
from weir_connectors.rest_headers import as_cookies, as_headers

# They only read, so a connection that has begun may be run again.
REPEATABLE = ("GET", "HEAD")

EXPECTED_STATUS_CODES = (200, 201, 202, 204)
LONGEST_TIMEOUT = 86_400.0
MOST_REDIRECTS = 100
LONGEST_NAME = 253  # characters, of a file

_METHOD = re.compile(r"(?!(?i:connect|trace)$)[A-Za-z]{1,20}")
_LINE_BREAK = re.compile(r"[\r\n\x00]")
_PARTS_OF_ADDRESS = ("hostname", "scheme", "port", "base_path", "path")
# Framing is the protocol library's, and the host is the address's to say.
_NOT_YOURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "upgrade"})


@dataclass(frozen=True, kw_only=True)
class RestInputs:
    """What a REST connection may be given.

    Differences from the interface that this follows: `grant` and `pass_user_token` are refused,
    since neither can be done here yet. `headers` and `cookies` may also be text, as
    a Secret holds it. Ours are `proxy` and the method `bearer`.
    """

    REFUSED: ClassVar[Mapping[str, str]] = {
        "grant": "there is no OAuth here yet: get a token by a connection of its own, and give it"
        " as password with authentication_method bearer",
        "pass_user_token": "runs have no token of a user",
    }

    url: str | None = field(
        default=None,
        metadata=about("Where the request goes. Else give hostname.", transport=True),
    )
    hostname: str | None = field(
        default=None, metadata=about("The server's name or address.", transport=True)
    )
    scheme: Literal["https", "http"] = field(
        default="https", metadata=about("Used with hostname.", transport=True)
    )
    port: int | None = field(
        default=None,
        metadata=about(
            "Used with hostname. Default: 443 for https, 80 for http.",
            transport=True,
            schema={"minimum": 1, "maximum": 65535},
        ),
    )
    base_path: str = field(
        default="",
        metadata=about(
            "Used with hostname: where the API begins, as `/api/v1`. `path` leads to nothing above"
            " it.",
            transport=True,
        ),
    )
    path: str = field(
        default="",
        metadata=about("Used with hostname: what follows base_path. No query: see params."),
    )
    method: str = field(default="get", metadata=about("The HTTP method, in lower or upper case."))
    params: dict[str, Any] | None = field(
        default=None,
        metadata=about(
            "Query parameters, added to those in url: texts, numbers, booleans, or lists of them;"
            " null leaves one out."
        ),
    )
    headers: dict[str, str] | str | None = field(
        default=None,
        metadata=about(
            "Headers: an object, or text with one `Name: value` in each line, as a Secret holds"
            " them. The values of the text form are hidden wherever they could be shown."
        ),
    )
    cookies: dict[str, str] | str | None = field(
        default=None,
        metadata=about(
            "Cookies: an object, or text `name=value; name2=value2`, whose values are hidden."
        ),
    )
    json: Any = field(default=None, metadata=about("The body as a JSON value."))
    text: str | None = field(default=None, metadata=about("The body as text (UTF-8)."))
    multipart: list[dict[str, Any]] | None = field(
        default=None,
        metadata=about(
            "The body as a form with files: a list of objects with `name`, `value` (text) or"
            " `content` (base64), and, if wanted, `filename` and `content_type`."
        ),
    )
    urlencoded: dict[str, Any] | None = field(
        default=None, metadata=about("The body as a form. Values as in params.")
    )
    data: str | dict[str, Any] | None = field(
        default=None,
        metadata=about("Deprecated: an object is taken as urlencoded, a text as body."),
    )
    body: str | dict[str, str] | None = field(
        default=None,
        metadata=about(
            'The body as it is sent: a text, or `{"base64": "…"}` for bytes. Say in headers what it'
            " is (Content-Type)."
        ),
    )
    authentication_method: Literal["basic", "bearer"] = field(
        default="basic",
        metadata=about("`basic`: username and password. `bearer`: password is a token."),
    )
    username: str | None = field(default=None, metadata=about("Who logs in, for basic."))
    password: str | None = field(
        default=None, metadata=about("Password, or token for bearer.", secret=True)
    )
    expected_status_code: int | list[int] = field(
        default_factory=lambda: list(EXPECTED_STATUS_CODES),
        metadata=about(
            "Status codes of a success. Any other ends the connection Failed.",
            schema={"default": list(EXPECTED_STATUS_CODES)},
        ),
    )
    dst: str | None = field(
        default=None,
        metadata=about(
            "Name of a file, as `system.file(name)` has it, in which the body is kept instead of"
            " the outputs.",
            schema={"minLength": 1, "maxLength": LONGEST_NAME},
        ),
    )
    allow_redirects: bool = field(
        default=True,
        metadata=about(
            "Follow redirects. Credentials, cookies and headers stay behind when one leads to"
            " another host.",
            transport=True,
        ),
    )
    max_redirects: int = field(
        default=10,
        metadata=about(
            "How many redirects to follow.",
            transport=True,
            schema={"minimum": 0, "maximum": MOST_REDIRECTS},
        ),
    )
    connect_timeout: float | None = field(
        default=None,
        metadata=about(
            "Seconds in which the connection must stand. Default: the operating system's, about"
            " two minutes.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
        ),
    )
    read_timeout: float | None = field(
        default=None,
        metadata=about(
            "Seconds that the server may be silent. Default: no limit but the run's own.",
            schema={"exclusiveMinimum": 0, "maximum": LONGEST_TIMEOUT},
        ),
    )
    retry_backoff: dict[str, Any] | None = field(
        default_factory=lambda: asdict(backoff.Backoff()),
        metadata=about(
            "When to try again: the first wait, the longest, what each wait is multiplied by, and"
            " the seconds after which no new try begins. null: try once.",
            schema={"default": asdict(backoff.Backoff())},
        ),
    )
    cacert: str | None = field(
        default=None,
        metadata=about("CA certificates (PEM) to trust instead of the system's.", transport=True),
    )
    verify_ssl: bool = field(
        default=True, metadata=about("Check the server's certificate for https.", transport=True)
    )
    proxy: str | None = field(
        default=None,
        metadata=about(
            "HTTP proxy, as `http://proxy.example.com:3128`. Default: what the environment of the"
            " Pod says (HTTPS_PROXY, …).",
            transport=True,
        ),
    )

    @property
    def verb(self) -> str:
        """The method as HTTP has it."""
        return self.method.upper()

    @property
    def expected(self) -> frozenset[int]:
        """The status codes of a success."""
        codes = self.expected_status_code
        return frozenset([codes] if isinstance(codes, int) else codes)

    def address(self) -> rest_url.RestUrl:
        """Return where the request goes, without params; raises ValueError."""
        if self.url is not None:
            return rest_url.parse(self.url)
        hostname = self.hostname or ""
        return rest_url.compose(self.scheme, hostname, self.port, self.base_path, self.path)

    def repeatable(self) -> bool:
        """GET and HEAD only read."""
        return self.verb in REPEATABLE

    def problems(self) -> Iterator[Problem]:
        """Say what annotations cannot: forms of values, and inputs that exclude each other."""
        yield from self._problems_of_address()
        if not _METHOD.fullmatch(self.method):
            yield Problem("method", "a method such as get, post, put, patch, delete or head")
        if self.params is not None and not rest_url.is_fields(self.params):
            yield Problem("params", "texts, numbers, booleans or null, or lists of them")
        yield from self._problems_of_headers()
        yield from rest_body.problems(self)
        yield from self._problems_of_login()
        if not self.expected or not all(200 <= code <= 599 for code in self.expected):
            yield Problem("expected_status_code", "status codes between 200 and 599, at least one")
        yield from self._problems_of_limits()
        if self.dst is not None and not 1 <= len(self.dst) <= LONGEST_NAME:
            yield Problem("dst", f"the name of a file, at most {LONGEST_NAME} characters")
        if self.cacert is not None and "-----BEGIN CERTIFICATE-----" not in self.cacert:
            yield Problem("cacert", "certificates as PEM text (-----BEGIN CERTIFICATE-----)")

    def _problems_of_address(self) -> Iterator[Problem]:
        if self.url is not None:
            others = [name for name in _PARTS_OF_ADDRESS if getattr(self, name) != _default(name)]
            if others:
                yield Problem("url", f"no {others[0]} beside it")
            yield from _problems_of_url("url", self.url)
        elif self.hostname is None:
            yield Problem("url", "where the request goes, or hostname", "missing")
        elif not rest_url.is_host(self.hostname):
            yield Problem("hostname", "a host's name or address alone, as api.example.com")
        for name in ("base_path", "path"):
            if not rest_url.is_path(getattr(self, name)):
                expected = "a path without query and without .. (a query goes to params)"
                yield Problem(name, expected)
        if self.port is not None and not 1 <= self.port <= 65535:
            yield Problem("port", "a number between 1 and 65535")
        if self.proxy is not None:
            yield from _problems_of_url("proxy", self.proxy)

    def _problems_of_headers(self) -> Iterator[Problem]:
        try:
            as_cookies(self.cookies)
        except ValueError as error:
            yield Problem("cookies", str(error))
        try:
            headers = {name.lower() for name, _ in as_headers(self.headers)}
        except ValueError as error:
            yield Problem("headers", str(error))
            return
        for name in sorted(headers & _NOT_YOURS):
            yield Problem("headers", f"no {name.title()}: it follows from the other inputs")
        has_login = self.username is not None or self.password is not None
        for name, is_there, other in (
            ("Cookie", self.cookies is not None, "cookies"),
            ("Content-Type", self.multipart is not None, "multipart"),
            ("Authorization", has_login, "username and password"),
        ):
            if is_there and name.lower() in headers:
                yield Problem("headers", f"no {name} beside {other}")

    def _problems_of_login(self) -> Iterator[Problem]:
        for name in ("username", "password"):
            value = getattr(self, name)
            if value is not None and (not value or _LINE_BREAK.search(value)):
                yield Problem(name, "a string that is not empty and has no line breaks")
        if self.authentication_method == "bearer":
            if self.password is None:
                yield Problem("password", "the token for bearer", "missing")
            elif not self.password.isascii():
                yield Problem("password", "a token of ASCII characters")
            if self.username is not None:
                yield Problem("username", "none with authentication_method bearer")
        elif self.password is not None and self.username is None:
            yield Problem("username", "who logs in with the password", "missing")
        elif self.username is not None and ":" in self.username:
            yield Problem("username", "no colon, which basic cannot send")

    def _problems_of_limits(self) -> Iterator[Problem]:
        if not 0 <= self.max_redirects <= MOST_REDIRECTS:
            yield Problem("max_redirects", f"a number between 0 and {MOST_REDIRECTS}")
        for name in ("connect_timeout", "read_timeout"):
            seconds = getattr(self, name)
            if seconds is not None and not 0 < seconds <= LONGEST_TIMEOUT:
                yield Problem(name, f"seconds, more than 0 and at most {LONGEST_TIMEOUT:.0f}")
        try:
            backoff.of(self.retry_backoff)
        except ValueError as error:
            yield Problem("retry_backoff", str(error))


def _default(name: str) -> Any:
    return RestInputs.__dataclass_fields__[name].default


def _problems_of_url(name: str, text: str) -> Iterator[Problem]:
    try:
        rest_url.parse(text)
    except ValueError as error:
        yield Problem(name, str(error))
