"""The two programs that build images: a Docker engine where one answers, else buildah."""

import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Protocol

from images import base, folders, packages
from images.content import IMAGES, REPOSITORY, Image
from images.errors import ImageError
from images.progress import say

DOCKER_BASE = "docker.io/library/python:3.13-slim-bookworm"
# Where Debian, and most that follow it, keep the certificates that the machine trusts.
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
# Old builds leave layers that buildah may reuse. Beyond this many they are cleared.
MAX_LAYERS = 150


class Engine(Protocol):
    """Something that makes an archive of an image."""

    base: str  # what decides the content of the base image

    def prepare(self, log: Path) -> None:
        """Make ready what all builds need."""

    def build(self, image: Image, name: str, archive: Path, log: Path) -> None:
        """Build the image, call it `name`, and write it to `archive` as `docker load` reads it."""

    def clear(self, keep: Iterable[str], log: Path) -> None:
        """Remove what old builds left, but for the images named."""


class Docker:
    """A Docker engine; its own cache keeps the layers."""

    base = DOCKER_BASE

    def prepare(self, log: Path) -> None:
        """Nothing: the engine pulls the base by itself."""

    def build(self, image: Image, name: str, archive: Path, log: Path) -> None:
        """Build with BuildKit and save."""
        _run(
            [
                "docker",
                "build",
                *_arguments(image),
                f"--build-arg=BASE={self.base}",
                f"--tag={name}",
                str(REPOSITORY),
            ],
            log,
        )
        _run(["docker", "save", f"--output={archive}", name], log)

    def clear(self, keep: Iterable[str], log: Path) -> None:
        """Nothing: the engine's owner decides what it forgets."""


class Buildah:
    """buildah with a store of its own, so that it leaves other images of the machine alone."""

    def __init__(self, folder: Path) -> None:
        """Keep layers below `folder`."""
        self.base = f"debian-{base.identity()}"
        self._folder = folder
        self._buildah = [
            "buildah",
            f"--root={folder / 'storage'}",
            f"--runroot={folder / 'run'}",
            "--storage-driver=overlay",
        ]

    def prepare(self, log: Path) -> None:
        """Install buildah and make the base image, where they are missing."""
        packages.install("buildah", "debootstrap")
        if self._lists(self._base_name):
            self._output("rm", "--all")  # what a killed build left mounted
        else:
            self._make_base(log)

    def build(self, image: Image, name: str, archive: Path, log: Path) -> None:
        """Build in a chroot, and push to the archive."""
        runtime = self._runtime_name(image)
        if not self._lists(runtime):
            self._build(image, runtime, log, "--target=runtime")
            if runtime != self._runtime_name(image):  # the lock changed meanwhile
                _run([*self._buildah, "rmi", runtime], log)
                raise ImageError("what the images depend on has just changed: run it again")
        self._build(
            image, f"localhost/{name}", log, f"--build-context=runtime=container-image://{runtime}"
        )
        _run([*self._buildah, "push", f"localhost/{name}", f"docker-archive:{archive}:{name}"], log)

    def _build(self, image: Image, name: str, log: Path, *options: str) -> None:
        _run(
            [
                *self._buildah,
                "build",
                "--isolation=chroot",
                "--layers",
                *_arguments(image),
                f"--build-arg=BASE={self._base_name}",
                f"--ignorefile={REPOSITORY / '.dockerignore'}",
                f"--tag={name}",
                *options,
                str(REPOSITORY),
            ],
            log,
        )

    def _runtime_name(self, image: Image) -> str:
        return f"localhost/{image.name}-runtime:{image.runtime_tag(self.base)}"

    @property
    def _base_name(self) -> str:
        return f"localhost/weir-base:{base.identity()}"

    def _make_base(self, log: Path) -> None:
        say("making the base image with debootstrap, once per machine: about a minute")
        # Nothing to lose without a base; a store that a killed run left half written is in the way.
        for name in ("storage", "run"):
            folders.remove(self._folder / name)
        root = self._folder / "root"
        base.make_root(root, log)
        container = self._output("from", "scratch")
        _run([*self._buildah, "add", "--quiet", container, str(root), "/"], log)
        _run([*self._buildah, "config", "--env=PATH=/usr/local/bin:/usr/bin:/bin", container], log)
        _run([*self._buildah, "commit", "--quiet", "--rm", container, self._base_name], log)
        folders.remove(root)

    def _lists(self, name: str) -> bool:
        command = [*self._buildah, "images", "--quiet", name]
        done = subprocess.run(command, capture_output=True, check=False)
        return done.returncode == 0 and bool(done.stdout.strip())

    def clear(self, keep: Iterable[str], log: Path) -> None:
        """Forget other images than these and, when they are many, layers of old builds."""
        kept = {self._base_name, *map(self._runtime_name, IMAGES)}
        kept.update(f"localhost/{name}" for name in keep)
        shown = self._output("images", "--format={{.Name}}:{{.Tag}}", "--filter=dangling=false")
        if old := set(shown.splitlines()) - kept:
            _run([*self._buildah, "rmi", *old], log)
        if len(self._output("images", "--all", "--quiet").splitlines()) > MAX_LAYERS:
            _run([*self._buildah, "rmi", "--prune", "--force"], log)

    def _output(self, *arguments: str) -> str:
        done = subprocess.run(
            [*self._buildah, *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise ImageError(f"`buildah {arguments[0]}` failed: {done.stderr.strip()[-2000:]}")
        return done.stdout.strip()


def find(folder: Path) -> Engine:
    """Return the engine of this machine; `folder` is buildah's own."""
    if shutil.which("docker") is not None:
        try:
            answers = subprocess.run(
                ["docker", "version", "--format={{.Server.Version}}"],
                capture_output=True,
                timeout=10,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Buildah(folder)
        if answers.returncode == 0:
            return Docker()
    return Buildah(folder)


def _arguments(image: Image) -> list[str]:
    """Return what both programs are told."""
    arguments = [f"--file={REPOSITORY / image.containerfile}"]
    if CERTIFICATES.exists():
        arguments.append(f"--secret=id=ca,src={CERTIFICATES}")
    return arguments


def _run(command: Sequence[str], log: Path) -> None:
    with log.open("a") as output:
        output.write(f"$ {' '.join(command)}\n")
        output.flush()
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = log.read_text(errors="replace")[-3000:].strip()
        raise ImageError(f"`{command[0]}` failed ({done.returncode}); the end of {log}:\n{tail}")
