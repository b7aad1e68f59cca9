"""The command line: `python -m tests.cluster`."""

import argparse
import sys
import time
from pathlib import Path

from tests.cluster import binaries, providers
from tests.cluster.bare import BareCluster
from tests.cluster.errors import ClusterError

_DESCRIPTION = """\
A Kubernetes cluster for Weir's end-to-end tests. `up` does everything by itself, on a fresh machine
too: it installs what is missing and builds Kubernetes, which takes about ten minutes once; later it
takes seconds.
"""
_PROVIDER_HELP = """\
bare: a node on this machine, without Docker (Debian, root); kind: in Docker, through pytest-kind;
current: the cluster of $KUBECONFIG, which is never changed by `up` or `down`.
Default: kind where a Docker engine runs, else bare
"""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit code."""
    options = _parser().parse_args(arguments)
    try:
        return _run(options)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; `up` goes on from here, `down` clears away", file=sys.stderr)
        return 130


def _run(options: argparse.Namespace) -> int:
    if options.command == "path":
        print(binaries.path(options.program))
        return 0
    cluster = providers.get(options.provider, force=options.force)
    match options.command:
        case "up":
            _up(cluster)
        case "down":
            cluster.down()
        case "load":
            for archive in options.archive:
                cluster.load_image(archive)
        case "status":
            return _status(cluster)
    return 0


def _up(cluster: providers.Cluster) -> None:
    began = time.monotonic()
    cluster.up()
    print(f"cluster: ready after {time.monotonic() - began:.1f} s", file=sys.stderr)
    if isinstance(cluster, BareCluster):
        print(
            f"cluster: Services of type NodePort answer at 127.0.0.1 and {cluster.node_address}",
            file=sys.stderr,
        )
    # Alone on standard output, for a shell's `export "$(...)"`.
    print(f"KUBECONFIG={cluster.kubeconfig}")


def _status(cluster: providers.Cluster) -> int:
    if isinstance(cluster, BareCluster):
        for name, pid in cluster.status().items():
            print(f"{name:<24} {f'pid {pid}' if pid else 'does not run'}")
    is_healthy = cluster.is_healthy()
    print(f"the cluster {'is healthy' if is_healthy else 'is not healthy; `up` makes it so'}")
    return 0 if is_healthy else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.cluster", description=_DESCRIPTION)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--provider", choices=providers.NAMES, help=_PROVIDER_HELP)
    common.add_argument(
        "--force", action="store_true", help="current: also use a cluster that has Weir already"
    )
    commands.add_parser("up", parents=[common], help="make the cluster run and be healthy")
    commands.add_parser("down", parents=[common], help="remove the cluster; logs are kept")
    commands.add_parser(
        "status", parents=[common], help="say what runs; the exit code is 1 unless all is well"
    )
    path = commands.add_parser("path", help="print a program's path, built first when missing")
    path.add_argument("program", choices=binaries.RECIPES, metavar="PROGRAM", help="%(choices)s")
    load = commands.add_parser("load", parents=[common], help="give the nodes images")
    load.add_argument("archive", nargs="+", type=Path, help="a docker-archive, a tar file")
    return parser


if __name__ == "__main__":
    sys.exit(main())
