"""Operator and server do their work with the rights that the chart gives them, and no others."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.chart.applying import apply, install, kubectl
from tests.chart.rendering import NAMESPACE, Manifest, render
from tests.cluster.apiserver import ApiServer
from tests.ports import free_port

# The server is told so, says so once, and does without.
TOLERATED = "extension-apiserver-authentication"


def objects(namespace: str) -> list[Manifest]:
    def one(kind: str, name: str, spec: Manifest) -> Manifest:
        metadata = {"name": name, "namespace": namespace}
        return {"apiVersion": "weir.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}

    reference = {"name": "missing", "key": "password"}
    secret = {"input": "password", "secretKeyRef": reference}
    return [
        one("Flow", "hello", {"script": "def handler(system, this):\n    pass\n"}),
        one("Execution", "hello", {"flow": "hello"}),
        one("Connector", "git", {"type": "GIT", "secretInputs": [secret]}),
    ]


@contextmanager
def running(server: ApiServer, component: str, folder: Path, **settings: str) -> Iterator[Path]:
    """Run a component as its service account; yield the file that it logs to."""
    account = f"system:serviceaccount:{NAMESPACE}:weir-{component}"
    environment = {
        **os.environ,
        "KUBECONFIG": str(server.kubeconfig_for(account, ["system:serviceaccounts"])),
        "WEIR_NAMESPACE": NAMESPACE,
        "WEIR_HEALTH_PORT": str(free_port()),
        **settings,
    }
    log = folder / f"{component}.log"
    program = Path(sys.executable).with_name(f"weir-{component}")
    with log.open("w") as output:
        process = subprocess.Popen(
            [str(program)], env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_until_ready(process, f"http://127.0.0.1:{environment['WEIR_HEALTH_PORT']}/readyz")
            yield log
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=30) == 0
        except BaseException:
            process.kill()
            process.wait()
            print(log.read_text())
            raise


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        assert process.poll() is None, f"it ended with {process.returncode}"
        assert time.monotonic() < deadline, f"{url} does not say that it is ready"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError as error:
            error.close()
        except OSError:
            pass  # it does not listen yet
        time.sleep(0.1)


def refusals(log: Path) -> list[str]:
    lines = log.read_text().splitlines()
    return [line for line in lines if "forbidden" in line.lower() and TOLERATED not in line]


@pytest.mark.parametrize(
    "watched", [[], ["team"]], ids=["in the whole cluster", "in one namespace"]
)
def test_operator_and_server_start_and_work_with_their_rights(
    watched: list[str], tmp_path: Path
) -> None:
    settings = {"WEIR_WATCH_NAMESPACES": ",".join(watched)}
    database = {"WEIR_DATABASE_URL": f"sqlite:///{tmp_path}/weir.db", "WEIR_PORT": str(free_port())}
    with ApiServer(controllers=True) as server:
        install(server, render({"watchNamespaces": watched}), "team", "other")

        def wait(kind: str, path: str, value: str, namespace: str = "team") -> None:
            until = f"--for=jsonpath={{{path}}}={value}"
            kubectl(server, "wait", f"--namespace={namespace}", until, "--timeout=60s", kind)

        with (
            running(server, "operator", tmp_path, **settings) as operator,
            running(server, "server", tmp_path, **settings, **database) as own_server,
        ):
            apply(server, objects("team"))
            apply(server, objects("other"))
            wait("execution/hello", ".status.phase", "Starting")
            wait("connector/git", ".status.conditions[0].reason", "SecretNotFound")
            wait("flow/hello", ".status.conditions[0].status", "True")
            kubectl(
                server,
                "patch",
                "execution",
                "hello",
                "--namespace=team",
                "--type=merge",
                "--patch",
                '{"spec": {"desiredState": "Cancelled"}}',
            )
            # No runner answers, so the operator waits for its grace to end, and says so itself.
            wait("execution/hello", ".status.phase", "Cancelled")
            kubectl(
                server, "wait", "--namespace=team", "--for=delete", "pods", "--all", "--timeout=60s"
            )
        assert refusals(operator) == []
        assert refusals(own_server) == []
        if watched:
            other = kubectl(server, "get", "execution/hello", "--namespace=other", "--output=yaml")
            assert "phase:" not in other
