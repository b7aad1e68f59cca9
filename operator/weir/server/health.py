"""Whether the server lives and is ready, and its metrics; plain HTTP."""

from __future__ import annotations

import resource
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from weir.server.runtime import Runtime


def application(
    unready: Callable[[], list[str]], runtime: Callable[[], Runtime | None]
) -> Starlette:
    """Return the application. `unready` names what the server still waits for."""

    async def healthz(request: Request) -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    async def readyz(request: Request) -> PlainTextResponse:
        missing = unready()
        if missing:
            return PlainTextResponse(f"waiting for {', '.join(missing)}\n", 503)
        return PlainTextResponse("ok\n")

    async def metrics(request: Request) -> PlainTextResponse:
        return PlainTextResponse(rendered(runtime()))

    return Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/readyz", readyz),
            Route("/metrics", metrics),
        ]
    )


def rendered(runtime: Runtime | None) -> str:
    """Return the metrics in Prometheus' text format."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    lines = [
        "# TYPE weir_server_cpu_seconds_total counter",
        f"weir_server_cpu_seconds_total {usage.ru_utime + usage.ru_stime:.3f}",
        "# TYPE weir_server_resident_memory_bytes gauge",
        f"weir_server_resident_memory_bytes {_resident()}",
    ]
    if runtime is not None:
        lines += [
            "# TYPE weir_server_executions gauge",
            f"weir_server_executions {len(runtime.executions)}",
            "# TYPE weir_server_sql_writes_total counter",
            f"weir_server_sql_writes_total {runtime.database.writes}",
            "# TYPE weir_server_sql_wait_seconds_total counter",
            f"weir_server_sql_wait_seconds_total {runtime.database.waited:.6f}",
            "# TYPE weir_server_sql_commits_total counter",
            f"weir_server_sql_commits_total {runtime.database.commits}",
            "# TYPE weir_server_api_calls_total counter",
        ]
        for call, count in sorted(runtime.cluster.calls.items()):
            verb, _, what = call.partition(" ")
            lines.append(f'weir_server_api_calls_total{{verb="{verb}",resource="{what}"}} {count}')
    return "\n".join(lines) + "\n"


def _resident() -> int:
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
