"""`weir version`: of the command, and of the server where one can be asked."""

from __future__ import annotations

from importlib.metadata import version

from weir.cli.errors import CliError, ExitCode
from weir.cli.output import VALUES, Output, way_of, written
from weir.cli.session import Options, opened
from weir.cli.terminal import one_line

WAYS = (Output.TEXT, *VALUES)


async def tell(options: Options, *, client: bool, output: str = "text") -> ExitCode:
    """Print the versions. A server that cannot be asked is no failure of this verb.

    Raises CliError for a way to print that there is not.
    """
    way = way_of(output, WAYS, "a version is no object")
    if way != Output.TEXT:
        versions = {"client": version("weir-operator")}
        if not client:
            versions["server"] = await _of_server(options)
        print(written(versions, way), end="")
        return ExitCode.SUCCEEDED
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
