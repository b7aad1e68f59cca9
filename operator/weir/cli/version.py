"""`weir version`: of the command, and of the server where one can be asked."""

from __future__ import annotations

from importlib.metadata import version

from weir.cli.errors import CliError, ExitCode
from weir.cli.session import Options, opened
from weir.cli.terminal import one_line


async def tell(options: Options, *, client: bool) -> ExitCode:
    """Print the versions. A server that cannot be asked is no failure of this verb."""
    print(f"client: {version('weir-operator')}", flush=True)
    if not client:
        print(f"server: {await _of_server(options)}")
    return ExitCode.SUCCEEDED


async def _of_server(options: Options) -> str:
    from weir.cli.server import installed_version
    from weir.cluster.errors import ClusterError

    try:
        async with opened(options) as session:
            return await installed_version(session)
    except (CliError, ClusterError) as error:
        return f"unknown ({one_line(error.message)})"
