"""How an async function becomes a verb: with the options that every verb has, one event loop, and
errors that end it with one line and an exit code.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from weir.cli.completion import context_names, namespace_names
from weir.cli.errors import CliError, ExitCode, Interrupted
from weir.cli.session import Options, opened
from weir.cli.terminal import one_line, say
from weir.cluster import errors as cluster_errors

_LONGEST_ERROR = 600


def connection(
    context: typer.Context,
    namespace: Annotated[
        str | None,
        typer.Option(
            "--namespace",
            "-n",
            metavar="NAME",
            help="Default: that of the kubeconfig's context.",
            autocompletion=namespace_names,
        ),
    ] = None,
    kubeconfig: Annotated[
        Path | None,
        typer.Option("--kubeconfig", metavar="PATH", help="Default: $KUBECONFIG, ~/.kube/config."),
    ] = None,
    kube_context: Annotated[
        str | None,
        typer.Option(
            "--context",
            metavar="NAME",
            help="Context of the kubeconfig.",
            autocompletion=context_names,
        ),
    ] = None,
    server: Annotated[
        str | None,
        typer.Option(
            "--server",
            metavar="URL",
            envvar="WEIR_SERVER_URL",
            help="Weir's server. Default: found in the cluster, reached through its API.",
        ),
    ] = None,
    server_ca: Annotated[
        Path | None,
        typer.Option(
            "--server-ca",
            metavar="PATH",
            envvar="WEIR_SERVER_CA",
            help="Certificate to trust at --server. Default: the system's.",
        ),
    ] = None,
) -> None:
    """Note the options that say which cluster is meant; those nearer to the verb hold."""
    given = {
        "namespace": namespace,
        "kubeconfig": kubeconfig,
        "context": kube_context,
        "server": server,
        "server_ca": server_ca,
    }
    before = context.obj if isinstance(context.obj, Options) else Options()
    said: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    context.obj = replace(before, **said)


Verb = Callable[..., Awaitable[ExitCode]]


def verb(
    app: typer.Typer, *, examples: Sequence[tuple[str, str]], group: str | None = None
) -> Callable[[Verb], Verb]:
    """Register an async function as a verb of the app.

    Its first parameter is the Session, or the Options where it needs no cluster; the others are
    typer's. `examples` are arguments and what they are good for. `group` is the verb that this one
    is a part of.
    """

    def register(function: Verb) -> Verb:
        signature = inspect.signature(function, eval_str=True)
        first, *own = signature.parameters.values()
        context, *shared = inspect.signature(connection, eval_str=True).parameters.values()

        @functools.wraps(function)
        def command(**values: Any) -> None:
            ctx: typer.Context = values.pop(context.name)
            connection(ctx, **{one.name: values.pop(one.name) for one in shared})
            if first.annotation is Options:
                work = function(ctx.obj, **values)
            else:
                work = _with_session(function, ctx.obj, values)
            raise typer.Exit(_run(work))

        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [one.replace(kind=keyword) for one in (context, *own, *shared)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        name = f"{group} {function.__name__}" if group else function.__name__
        app.command(epilog=_examples(name, examples))(command)
        return function

    return register


async def _with_session(function: Verb, options: Options, values: dict[str, Any]) -> ExitCode:
    async with opened(options) as session:
        return await function(session, **values)


def _run(work: Awaitable[ExitCode]) -> ExitCode:
    async def main() -> ExitCode:
        return await work

    try:
        return asyncio.run(main())
    except CliError as error:
        return _fail(error.message, error.code)
    except cluster_errors.ClusterError as error:
        return _fail(error.message, ExitCode.UNABLE)
    except Interrupted as error:
        say(f"\n{error.message}")
        return ExitCode.INTERRUPTED
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        return ExitCode.SUCCEEDED


def _fail(message: str, code: ExitCode) -> ExitCode:
    line = one_line(message)
    say(f"error: {line if len(line) <= _LONGEST_ERROR else line[:_LONGEST_ERROR] + '…'}")
    return code


def _examples(name: str, examples: Sequence[tuple[str, str]]) -> str:
    calls = [(f"weir {name} {arguments}".strip(), why) for arguments, why in examples]
    width = max(len(call) for call, _ in calls)
    # \b: the help formatter leaves the lines as they are.
    return "\b\nExamples:\n" + "\n".join(f"  {call:<{width}}   # {why}" for call, why in calls)
