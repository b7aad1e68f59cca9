"""What a Weir flow may call.

A flow is a Python script with a function `handler`; it is called with `system`, `this` and, if it
takes a third parameter, the run's inputs:

    import flow_api

    def handler(system: flow_api.System, this: flow_api.Execution):
        child = this.flow('other flow', name='step 1', count=3)
        this.log(child.get('output_value'))
        return this.success('all done')
"""

from flow_api import exceptions
from flow_api._exceptions import (
    CloudomationException,
    DependencyFailedError,
    DependencyTimeoutError,
    EngineException,
    ExecutionCancel,
    ExecutionError,
    ExecutionSuccess,
    ExtraInputError,
    InternalError,
    InvalidInputError,
    LifecycleSignal,
    LockTimeoutError,
    MessageResponseTimeoutError,
    MissingInputError,
    PermissionDenied,
    ResourceNotFoundError,
    SchemaError,
    SchemaValidationError,
    TimeoutExceededError,
)
from flow_api._execution import Execution
from flow_api._messages import Message
from flow_api._records import File, Schema, Setting
from flow_api._resource import Resource
from flow_api._system import ReturnWhen, System
from flow_api._vault import Vault

__all__ = [
    "CloudomationException",
    "DependencyFailedError",
    "DependencyTimeoutError",
    "EngineException",
    "Execution",
    "ExecutionCancel",
    "ExecutionError",
    "ExecutionSuccess",
    "ExtraInputError",
    "File",
    "InternalError",
    "InvalidInputError",
    "LifecycleSignal",
    "LockTimeoutError",
    "Message",
    "MessageResponseTimeoutError",
    "MissingInputError",
    "PermissionDenied",
    "Resource",
    "ResourceNotFoundError",
    "ReturnWhen",
    "Schema",
    "SchemaError",
    "SchemaValidationError",
    "Setting",
    "System",
    "TimeoutExceededError",
    "Vault",
    "exceptions",
]

# Tracebacks are to name what people can import.
for _name in exceptions.__all__:
    getattr(exceptions, _name).__module__ = __name__
# So are the errors of calls with wrong arguments: `Execution.flow() missing …`.
Message.__module__ = Vault.__module__ = __name__
for _base in Execution.__mro__[1:-1]:
    for _name, _value in vars(_base).items():
        if _name[0] != "_" and hasattr(_value, "__code__"):
            _value.__qualname__ = f"Execution.{_name}"
