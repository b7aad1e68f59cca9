"""The chart as Helm renders it."""

import json
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import binaries

CHART = Path(__file__).parents[2] / "charts" / "weir"
NAMESPACE = "weir-system"

Manifest = dict[str, Any]


class HelmError(Exception):
    """Helm refused; the message is what it printed."""


class Rendered(list[Manifest]):
    """All manifests of one rendering."""

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [one for one in self if one["kind"] in kinds]

    def one(self, kind: str, name: str) -> Manifest:
        (found,) = (one for one in self.of_kind(kind) if one["metadata"]["name"] == name)
        return found

    def pod_specs(self) -> Iterator[Manifest]:
        for one in self.of_kind("Deployment"):
            yield one["spec"]["template"]["spec"]


def helm(*arguments: str, stdin: str = "") -> str:
    """Run Helm; return what it prints. Raise HelmError."""
    done = subprocess.run(
        [str(binaries.path("helm")), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise HelmError(done.stderr + done.stdout)
    return done.stdout


def render(values: Manifest | None = None, release: str = "weir") -> Rendered:
    """Render the chart with these values over its defaults. Raise HelmError."""
    return Rendered(json.loads(_rendered(json.dumps(values or {}), release)))


@cache
def _rendered(values: str, release: str) -> str:
    # Values are JSON, and so YAML; `-` reads them from standard input.
    options = [f"--namespace={NAMESPACE}", "--kube-version=v1.34.0", "--values=-"]
    printed = helm("template", release, str(CHART), *options, stdin=values)
    return json.dumps([one for one in yaml.safe_load_all(printed) if one], default=str)
