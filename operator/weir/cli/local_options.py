"""Whether `weir run` is to run something here or in the cluster, and which options fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from weir.api.phases import Mode
from weir.cli.errors import CliError, ExitCode, program
from weir.cli.output import VALUES, way_of
from weir.cli.session import Options
from weir.cluster.errors import ClusterError


@dataclass(frozen=True)
class Here:
    """A run without a cluster, as the command line says it."""

    target: str  # a script's file, or the name of a flow in the folder
    inputs: tuple[str, ...] = ()  # name=value
    input_files: tuple[str, ...] = ()  # name=path
    inputs_file: Path | None = None
    flows: Path | None = None
    answers: tuple[str, ...] = ()  # subject=value
    connections: tuple[str, ...] = ()  # name=outputs
    skip_time: bool = False
    title: str | None = None
    mode: str | None = None
    development: bool = False
    timeout: str | None = None
    wait: bool = False
    output: str | None = None

    @property
    def is_development(self) -> bool:
        """Whether the run does not count."""
        return self.development or self.mode == Mode.DEVELOPMENT

    @property
    def only_outputs(self) -> bool:
        """Whether standard output is for the outputs alone."""
        return self.wait or self.output is not None


def is_file(word: str) -> bool:
    """Whether what is to be run is a script's file rather than the name of a Flow."""
    return word.endswith(".py") or Path(word).is_file()


def is_meant(here: Here, local: bool | None) -> bool:
    """Whether to run it here: as `--local` or `--cluster` says, else if it is a file."""
    return is_file(here.target) if local is None else local


async def run(options: Options, here: Here, elsewhere: Mapping[str, object]) -> ExitCode:
    """Run it here. Raises CliError, also for an option that only a cluster understands.

    Parameters:
        options: Those of every verb.
        here: What is to be run.
        elsewhere: The values of `weir run`'s options that only a cluster understands.
    """
    given = {
        "--namespace": options.namespace,
        "--kubeconfig": options.kubeconfig,
        "--context": options.context,
        **elsewhere,
    }
    for option, value in given.items():
        if value is not None:
            raise CliError(
                f"{option} is for runs in a cluster, and {here.target} runs here: "
                "leave it out, or say --cluster and the name of a Flow"
            )
    if here.output is not None:
        way_of(here.output, VALUES, "a run here leaves no object, only outputs")
    from weir.cli import local  # with all that runs scripts

    return await local.run(here)


@contextmanager
def pointing_to_files(here: Here) -> Iterator[None]:
    """Let the errors of a run in the cluster say so where a script of that name is at hand."""
    try:
        yield
    except (CliError, ClusterError) as error:
        path = Path(f"{here.target}.py")
        if not path.is_file():
            raise
        code = error.code if isinstance(error, CliError) else ExitCode.UNABLE
        raise CliError(
            f"{error.message}; {path} is a file here: `{program()} run {path}` runs it without a "
            "cluster",
            code,
        ) from None


def refuse_in_cluster(here: Here) -> None:
    """Raise CliError for an option that a run in the cluster does not understand."""
    given = {
        "--flows": here.flows,
        "--answer": here.answers,
        "--connection": here.connections,
        "--skip-time": here.skip_time,
    }
    for option, value in given.items():
        if value:
            raise CliError(
                f"{option} is for runs without a cluster: say --local, or a script's file instead "
                f"of {here.target}"
            )
    if here.target.endswith(".py"):
        raise CliError(
            f"--cluster runs Flows by their names, and {here.target} is a file: make a Flow of it, "
            "or leave --cluster out"
        )
