"""What files say is what a real API server keeps: else each sync would find it changed by hand."""

from pathlib import Path

from tests.builders import HANDLER
from weir.api.names import REPOSITORY_MANAGER
from weir.api.repository import FlowRepositorySpec
from weir.cluster.client import Cluster
from weir.cluster.kinds import BY_NAME
from weir.core.sources import SourceFile
from weir.core.syncing import live_of, read

EXAMPLES = Path(__file__).parents[3] / "examples"
SPEC = FlowRepositorySpec.model_validate(
    {
        "url": "https://git.example.com/flows.git",
        "kinds": ["Flow", "Schedule", "Setting", "Schema", "Connector", "Webhook"],
        "serviceAccountName": "sync",
        "paths": [
            {"glob": "**/*.py", "kind": "Flow"},
            {"glob": "settings/*", "kind": "Setting"},
            {"glob": "**/*.yaml", "kind": "Manifest"},
        ],
        "exclude": ["repository.yaml", "expected.yaml", "ssh-connection.yaml"],
    }
)
ODD = {
    "odd.py": HANDLER + "\n# \U0001f600\r\n# \x85 \u2028 \x7f \t\n",
    "odd.flow.yaml": """
        inputSchema: {default: {a: null, b: [null], c: {}}, maximum: 1.0, minimum: -0.0}
        retry: {factor: 2}
        timeout: null
        runner: {resources: {requests: {cpu: 1, memory: 64Mi}, limits: {}}, env: []}
        requirements: []
        """,
    "settings/numbers.json": "[1.0, 0.1, 1e21, 1e-7, 12345678901234567890, -0.0, 9007199254740993]",
    "settings/null.json": "null",
    "settings/text.json": r'"\u0000 <&> \u2028 \ud83d\ude00 \\ud83d\u007f\u0085\ufeff\uffff\t\n é"',
    "settings/nested.json": '{"": {"a.b/c": [[], {}, null, false, 0, ""]}}',
    "schedule.yaml": """
apiVersion: weir.dev/v1alpha1
kind: Schedule
metadata: {name: odd}
spec: {flow: odd, interval: 1.5h, inputs: {a: null, n: 2.0}, mode: Development}
---
apiVersion: weir.dev/v1alpha1
kind: Webhook
metadata: {name: odd}
spec: {flow: odd, async: true, rate: {perMinute: 5}, inputs: {}}
---
apiVersion: weir.dev/v1alpha1
kind: Connector
metadata: {name: odd}
spec: {type: REST, inputs: {url: "https://example.com", json: {a: null}}}
---
apiVersion: weir.dev/v1alpha1
kind: Schema
metadata: {name: odd}
spec: {schema: {const: null, multipleOf: 0.5, default: {x: null}}}
""",
}


async def differing(cluster: Cluster, namespace: str, files: list[SourceFile]) -> list[str]:
    """Apply what files bring; return what the API server keeps otherwise."""
    found = read(files, SPEC, namespace=namespace, repository="team")
    assert found.rejected == []
    others = []
    for one in found.desired:
        kind = BY_NAME[one.kind]
        await cluster.apply(kind, namespace, one.name, one.body, manager=REPOSITORY_MANAGER)
        live = live_of(one.kind, await cluster.get(kind, namespace, one.name))
        kept = (live.repository, live.digest, live.applied, live.path)
        if kept != ("team", one.digest, one.applied, one.path):
            others.append(f"{one.kind}/{one.name}")
    return others


async def test_odd_values_are_kept_as_files_say_them(cluster: Cluster, namespace: str) -> None:
    files = [SourceFile(path, text.encode()) for path, text in ODD.items()]
    assert await differing(cluster, namespace, files) == []


async def test_the_examples_are_kept_as_files_say_them(cluster: Cluster, namespace: str) -> None:
    files = [
        SourceFile(str(path.relative_to(EXAMPLES)), path.read_bytes())
        for path in sorted(EXAMPLES.rglob("*"))
        if path.is_file() and b"kind: Execution" not in path.read_bytes()
    ]
    assert await differing(cluster, namespace, files) == []
