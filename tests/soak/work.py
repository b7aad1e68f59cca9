"""The flows of the soak, how each must end, and what it must leave behind."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from weir.api.resource import JsonObject

# Below each kind of root: flows that it starts.
BELOW: dict[str, JsonObject] = {
    "soak-square": {
        "script": """
def handler(system, this, inputs):
    this.sleep(inputs['n'] % 3)
    return {'square': inputs['n'] ** 2}
"""
    },
    "soak-fails": {"script": "def handler(system, this): raise ValueError('as it must')"},
    "soak-naps": {
        "script": """
def handler(system, this):
    for _ in range(4):
        this.sleep(1)
    return {'napped': 4}
"""
    },
    "soak-sleeps-long": {"script": "def handler(system, this): this.sleep(3600)"},
    "soak-third-time": {
        "script": """
def handler(system, this, inputs):
    tries = system.setting(inputs['setting'])
    count = (tries.get('value') if tries.exists() else 0) + 1
    tries.save(value=count)
    if count < 3:
        this.error(f'try {count}')
    return {'tries': count}
"""
    },
}


@dataclass(frozen=True)
class Kind:
    """One kind of root.

    `outputs`, `children` and `messages` follow from the root's number; `phase` is how it ends.
    """

    script: str
    outputs: Callable[[int], JsonObject]
    children: int = 0
    messages: int = 0
    phase: str = "Succeeded"
    reason: str = ""
    spec: JsonObject = field(default_factory=dict)
    inputs: Callable[[int], JsonObject] = lambda n: {"n": n}


def _nothing(_number: int) -> JsonObject:
    return {}


COUNTER, COUNTER_LOCK = "soak-counter", "soak-lock"
HIBERNATES: dict[str, Any] = {"hibernateAfter": "2s"}

KINDS: dict[str, Kind] = {
    "fans-out": Kind(
        """
def handler(system, this, inputs):
    children = [this.flow('soak-square', wait=False, n=inputs['n'] + k) for k in range(3)]
    this.wait_for(*children)
    return {'squares': [child.get('output_value')['square'] for child in children]}
""",
        outputs=lambda n: {"squares": [(n + k) ** 2 for k in range(3)]},
        children=3,
    ),
    "catches": Kind(
        """
import flow_api

def handler(system, this):
    try:
        this.flow('soak-fails')
    except flow_api.DependencyFailedError as error:
        return {'why': error.execution.get('message')}
""",
        outputs=lambda n: {"why": "ValueError: as it must (line 1)"},
        children=1,
    ),
    "fails": Kind(
        "def handler(system, this): this.flow('soak-fails')",
        outputs=_nothing,
        children=1,
        phase="Failed",
        reason="DependencyFailed",
    ),
    "sleeps": Kind(
        """
def handler(system, this, inputs):
    this.sleep(4 + inputs['n'] % 9)
    this.sleep(1)
    return {'n': inputs['n']}
""",
        outputs=lambda n: {"n": n},
        spec=HIBERNATES,
    ),
    "waits-asleep": Kind(
        """
def handler(system, this):
    return this.flow('soak-naps').get('output_value')
""",
        outputs=lambda n: {"napped": 4},
        children=1,
        spec=HIBERNATES,
    ),
    "counts": Kind(
        f"""
def handler(system, this):
    with system.setting('{COUNTER_LOCK}'):
        counter = system.setting('{COUNTER}')
        counter.save(value=counter.get('value') + 1)
""",
        outputs=_nothing,
    ),
    "asks": Kind(
        """
def handler(system, this, inputs):
    answer = this.message(subject=f"soak {inputs['n']}", request='text')
    return {'answer': answer.get('response')['string']}
""",
        outputs=lambda n: {"answer": f"answer to soak {n}"},
        messages=1,
        spec=HIBERNATES,
    ),
    "remembers": Kind(
        """
import os

def handler(system, this):
    first = this.once(lambda: os.urandom(8).hex())
    this.set_output('first', first)
    this.save()
    this.sleep(2)
    return this.success(first)
""",
        outputs=_nothing,  # compared with its own message
    ),
    "keeps-files": Kind(
        """
def handler(system, this, inputs):
    name = f"soak/{inputs['n']}"
    system.file(name).save_text_content('a' * inputs['n'])
    this.sleep(1)
    return {'length': len(system.file(name).get_text_content())}
""",
        outputs=lambda n: {"length": n},
    ),
    "tries-again": Kind(
        """
def handler(system, this, inputs):
    if this.get('try_number') < 3:
        this.flow('soak-square', n=1)
        raise RuntimeError('not yet')
    return {'try': this.get('try_number')}
""",
        outputs=lambda n: {"try": 3},
        children=2,
        spec={"retry": {"limit": 4, "delay": "1s", "factor": 1}},
    ),
    "wraps": Kind(
        """
def handler(system, this, inputs):
    wrapped = this.using('retry', max_tries=5, delay_sec=1)
    child = wrapped.flow('soak-third-time', setting=f"soak-tries-{inputs['n']}")
    return child.get('output_value')
""",
        outputs=lambda n: {"tries": 3},
        children=3,
    ),
    "holds": Kind(
        """
def handler(system, this):
    child = this.flow('soak-naps', wait=False)
    child.pause()
    this.sleep(2)
    child.run_async()
    return child.wait().get('output_value')
""",
        outputs=lambda n: {"napped": 4},
        children=1,
    ),
    "cancels": Kind(
        """
def handler(system, this):
    child = this.flow('soak-sleeps-long', wait=False)
    this.sleep(1)
    child.cancel()
    child.wait(system.return_when.ALL_ENDED)
    return {'status': child.get('status')}
""",
        outputs=lambda n: {"status": "ENDED_CANCELLED"},
        children=1,
    ),
    "posts": Kind(
        """
import flow_api

def handler(system, this, inputs):
    try:
        posted = this.connect(
            connector_type='REST', url=inputs['url'], method='post', json={'n': inputs['n']}
        )
        return {'status': posted.get('output_value')['status_code']}
    except flow_api.DependencyFailedError as error:
        return {'cut': error.execution.get('reason')}
""",
        outputs=_nothing,  # 200, or cut in the middle: decided by what was received
        children=1,
    ),
}
