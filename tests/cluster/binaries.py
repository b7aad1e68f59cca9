"""The programs of a test cluster, built from Go modules once per machine.

The module proxy is the only source of Kubernetes on a machine that reaches package registries only.
What is built is pinned by `go.mod` and `go.sum` beside this file; the result is kept outside the
checkout, in a folder named after them and Go's version.
"""

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.cluster.errors import ClusterError

KUBERNETES_VERSION = "v1.34.4"

_HERE = Path(__file__).parent
# Kubernetes takes its version from the linker; without it the API server calls itself v0.0.0.
_VERSION = "k8s.io/component-base/version"
_KUBERNETES_FLAGS = (
    f"-s -w -X {_VERSION}.gitVersion={KUBERNETES_VERSION} -X {_VERSION}.gitMajor=1"
    f" -X {_VERSION}.gitMinor=34 -X {_VERSION}.gitTreeState=clean"
)


@dataclass(frozen=True)
class Recipe:
    """How one program is built."""

    package: str
    module: Path = _HERE
    flags: str = "-s -w"


RECIPES = {
    "etcd": Recipe("go.etcd.io/etcd/server/v3"),
    **{
        name: Recipe(f"k8s.io/kubernetes/cmd/{name}", flags=_KUBERNETES_FLAGS)
        for name in (
            "kube-apiserver",
            "kubectl",
            "kube-controller-manager",
            "kube-scheduler",
            "kubelet",
            "kube-proxy",
        )
    },
    "helm": Recipe("helm.sh/helm/v4/cmd/helm", module=_HERE / "helm"),
    "pause": Recipe(".", module=_HERE / "pause"),
}


def path(name: str) -> Path:
    """Return the path of the named program, built first when this machine does not have it."""
    if name not in RECIPES:
        raise ClusterError(f"no program {name!r} here; there are: {', '.join(RECIPES)}")
    program = _folder(RECIPES[name].module) / name
    if not _is_built(program):
        with _only_builder():
            if not _is_built(program):  # unless another process has built it while we waited
                _build(name, program)
    return program


def paths(*names: str) -> dict[str, Path]:
    """Return the paths of several programs, those built that are missing."""
    return {name: path(name) for name in names}


def cache_folder() -> Path:
    """Where programs and images are kept from one run, and one checkout, to the next."""
    return Path(os.environ.get("WEIR_CACHE") or Path.home() / ".cache" / "weir")


def _is_built(program: Path) -> bool:
    # A program gets its name when it is complete; an empty one is what a machine's crash leaves.
    return program.is_file() and program.stat().st_size > 0


@cache
def _folder(module: Path) -> Path:
    """Name the cache's folder after everything that decides what is built."""
    sources = ("go.mod", "go.sum", "main.go")
    key = hashlib.sha256(_KUBERNETES_FLAGS.encode())
    key.update(_go("env", "GOVERSION", "GOARCH", "GOOS", cwd=module).encode())
    for source in sources:
        if (module / source).exists():
            key.update((module / source).read_bytes())
    return cache_folder() / "bin" / key.hexdigest()[:16]


def _build(name: str, program: Path) -> None:
    recipe = RECIPES[name]
    _say(f"building {name} from source, once on this machine ...")
    began = time.monotonic()
    program.parent.mkdir(parents=True, exist_ok=True)
    for leftover in program.parent.glob(f".{name}.*"):
        leftover.unlink()
    unfinished = program.with_name(f".{name}.{os.getpid()}")
    arguments = ("-mod=readonly", "-trimpath", "-buildvcs=false", "-ldflags", recipe.flags)
    try:
        _go("build", *arguments, "-o", str(unfinished), recipe.package, cwd=recipe.module)
        with unfinished.open("rb") as built:
            os.fsync(built.fileno())  # a renamed but unwritten program would look complete
        unfinished.rename(program)
    finally:
        unfinished.unlink(missing_ok=True)
    _say(f"built {name} in {time.monotonic() - began:.0f} s")


def _go(*arguments: str, cwd: Path) -> str:
    go = shutil.which("go")
    if go is None:
        raise ClusterError("`go` is missing: the test cluster's programs are built with Go >= 1.26")
    # Static, so that a program also runs in an empty image; no flags of the user's own.
    environment = {**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "", "GOWORK": "off"}
    done = subprocess.run(
        [go, *arguments], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ClusterError(f"`go {arguments[0]}` failed in {cwd}:\n{done.stderr.strip()[-4000:]}")
    return done.stdout


@contextmanager
def _only_builder() -> Iterator[None]:
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "build.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another process builds the test cluster's programs; waiting for it ...")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _say(line: str) -> None:
    print(f"cluster: {line}", file=sys.stderr, flush=True)
