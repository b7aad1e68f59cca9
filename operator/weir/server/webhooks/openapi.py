"""What Webhooks there are, for people who may read them: as OpenAPI, and as a page."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from weir.api.resource import JsonObject
from weir.api.webhook import Webhook
from weir.core import webhook_openapi
from weir.server import answers, refusals
from weir.server.access import Access, right_to
from weir.server.runtime import Runtime

PATH = "/api/v1/namespaces/{namespace}/webhooks"

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "h2{border-top:1px solid;padding-top:1rem}"
    "pre{overflow:auto;padding:.5rem;border:1px solid}"
    "th,td{text-align:left;vertical-align:top;padding:.1rem 1rem .1rem 0}"
)
_NEEDS = {
    "key": "the key as ?key=",
    "header": "the key in a header",
    "signature": "a signature",
}
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS = {
    "content-security-policy": (
        f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "private, no-store",
}


class OpenApi:
    """The endpoints that describe Webhooks."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._access = Access(runtime.cluster)

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route(f"{PATH}/openapi.json", answers.guarded(self._json), methods=["GET"]),
            Route(f"{PATH}/docs", answers.guarded(self._page), methods=["GET"]),
        ]

    async def _json(self, request: Request) -> Response:
        answer = answers.as_json(await self._document(request))
        answer.headers["cache-control"] = "private, no-store"
        return answer

    async def _page(self, request: Request) -> Response:
        page = _page(await self._document(request))
        return Response(page, media_type="text/html", headers=_HEADERS)

    async def _document(self, request: Request) -> JsonObject:
        if not self._runtime.watches.synced.is_set():
            raise refusals.unavailable("the server is starting")
        namespace = request.path_params["namespace"]
        right = right_to("list", Webhook.PLURAL, namespace, "")
        await self._access.require(request, right)
        catalogs = self._runtime.catalogs
        # Only now: words of strangers leave no trace in the catalogs.
        hooks = [
            (hook, catalogs.flows(namespace).find(hook.spec.flow))
            for hook in catalogs.webhooks(namespace)
        ]
        return webhook_openapi.document(namespace, hooks)


def _page(document: JsonObject) -> str:
    title = escape(document["info"]["title"])
    hooks = "".join(
        _operation(path, method, one)
        for path, methods in document["paths"].items()
        for method, one in methods.items()
    )
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{hooks or '<p>None is enabled.</p>'}</main></body></html>"
    )


def _operation(path: str, method: str, one: JsonObject) -> str:
    needs = " or ".join(
        " and ".join(_NEEDS[name.rpartition(".")[2]] for name in names)
        for names in one.get("security", [])
    )
    body = one.get("requestBody")
    parts = [
        f"<h2><code>{method.upper()} {escape(path)}</code></h2>",
        f"<p><strong>{escape(one['summary'])}</strong></p>",
        f"<p>{escape(one.get('description', ''))}</p>",
        f"<p>Needs: {escape(needs or 'nothing')}</p>",
    ]
    if body is not None:
        parts.append(f"<h3>Body</h3>{_schema(body)}")
    if "200" in one["responses"]:
        parts.append(f"<h3>Answer</h3>{_schema(one['responses']['200'])}")
    rows = "".join(
        f"<tr><th>{escape(status)}</th><td>{escape(response['description'])}</td></tr>"
        for status, response in sorted(one["responses"].items())
    )
    parts.append(f"<table>{rows}</table>")
    return "".join(parts)


def _schema(part: JsonObject) -> str:
    schema = part["content"]["application/json"]["schema"]
    return f"<pre>{escape(json.dumps(schema, indent=2, ensure_ascii=False))}</pre>"
