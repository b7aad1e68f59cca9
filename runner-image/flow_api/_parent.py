"""Starting children: the calls of `flow_api.Execution` that make new executions."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from flow_api._children import child_arguments, connection_inputs, one_name, return_when
from flow_api._exceptions import InvalidInputError
from flow_api._messages import Input, ask
from flow_api._record import Record
from flow_api._system import ReturnWhen
from flow_api._values import checked_object, printable
from weir_protocol import ExecutionView
from weir_protocol.arguments import ChildArguments

if TYPE_CHECKING:
    from typing import Self


class Parent(Record):
    """An execution that starts others."""

    __slots__ = ()

    def _child(
        self,
        call: str,
        target: dict[str, str | None],
        wait: bool | ReturnWhen,
        save: bool,
        **arguments: Any,
    ) -> Self:
        self._require_own(call)
        way = return_when(wait)
        message = child_arguments(target, **arguments)
        if not save:
            return self._template(message)
        return self._made(message, way)

    def _made(self, message: ChildArguments, way: ReturnWhen | None) -> Self:
        """Make a child, and wait for it."""
        (view,) = self._perform("child", message)
        if view.input_value is None:
            view = dataclasses.replace(view, input_value=message.inputs)
        child = type(self)(self._backend, view, asked=message)
        if way is not None and message.run:
            self._wait([child], way, None)
        return child

    def _template(self, message: ChildArguments) -> Self:
        """Return an execution that is not made: something to clone."""
        kind: Literal["FLOW", "SCRIPT", "CONNECTION"] = "CONNECTION"
        if message.script is not None or message.flow is not None:
            kind = "FLOW" if message.script is None else "SCRIPT"
        view = ExecutionView(
            uid="",
            name="",
            title=message.title or message.flow or message.connector or kind.lower(),
            type=kind,
            status="NEW",
            phase="Pending",
            flow_name=message.flow,
            connector_name=message.connector,
            connector_type=message.connector_type,
            input_value=message.inputs,
        )
        return type(self)(self._backend, view, asked=message)

    def _copied(self, inputs: dict[str, Any], *, name: str | None, run: bool) -> ChildArguments:
        """Return what makes the same execution again, with some inputs replaced."""
        message = self._asked
        if message is None:
            view = self._view
            if view.flow_name is None and view.connector_name is None and not view.connector_type:
                raise InvalidInputError(
                    "only flows and connections can be cloned here: the source of a script is "
                    "known to the run that made it"
                )
            message = ChildArguments(
                flow=view.flow_name,
                connector=view.connector_name,
                connector_type=view.connector_type,
                inputs=self.get("input_value"),
                title=view.title or None,
            )
        return dataclasses.replace(
            message,
            inputs={**message.inputs, **checked_object(inputs, "inputs")},
            title=message.title if name is None else printable(str(name)),
            run=bool(run),
        )

    def flow(
        self,
        flow: str,
        /,
        inputs: dict[str, Any] | None = None,
        *,
        name: str | None = None,
        name_: str | None = None,
        wait: bool | ReturnWhen = True,
        run: bool = True,
        save: bool = True,
        orphan: bool = False,
        protect_inputs: Iterable[str] = (),
        protect_outputs: Iterable[str] = (),
        init: dict[str, Any] | None = None,
        **more_inputs: Any,
    ) -> Self:
        """Run another flow as a child, wait for its end, and return it.

        Parameters:
            flow: Name or title of a Flow in the same namespace.
            inputs: The child's `input_value`, a JSON object.
            name: What people call the child; `name_` is the same.
            wait: True waits and raises if the child fails; False returns as soon as it is started;
                one of `system.return_when` waits so; ALL_ENDED and FIRST_ENDED do not raise.
            run: False creates the child without starting it: `run()` or `run_async()` does.
            save: False makes nothing but a template, which `clone()` makes executions of.
            orphan: True lets the child outlive the cancellation of this execution.
            protect_inputs: Keys of the inputs that are shown as `***` to everyone but the child's
                script.
            protect_outputs: Keys of the outputs that are shown as `***`.
            init: Further fields of the child; may hold input_value, name, orphan, protect_inputs,
                protect_outputs.
            more_inputs: Single entries of the child's `input_value`. One that is called like a
                parameter above goes into `inputs`.

        Raises:
            DependencyFailedError: The child ended badly.
            ResourceNotFoundError: There is no such flow.
            TypeError: An input is no JSON value.

        Example:
            >>> child = this.flow('greet', name='step 1', person='Ada')
            >>> child.get('status')
            'ENDED_SUCCESS'
            >>> child.get('output_value')
            {'greeting': 'Hello, Ada'}
        """
        return self._child(
            "flow",
            {"flow": flow},
            wait,
            save,
            inputs=inputs,
            more_inputs=more_inputs,
            name=one_name(name, name_),
            run=run,
            orphan=orphan,
            protect_inputs=protect_inputs,
            protect_outputs=protect_outputs,
            init=init,
        )

    def connect(
        self,
        connector: str | None = None,
        /,
        *,
        connector_type: str | None = None,
        inputs: dict[str, Any] | None = None,
        name: str | None = None,
        name_: str | None = None,
        wait: bool | ReturnWhen = True,
        run: bool = True,
        save: bool = True,
        orphan: bool = False,
        protect_inputs: Iterable[str] = (),
        protect_outputs: Iterable[str] = (),
        init: dict[str, Any] | None = None,
        **more_inputs: Any,
    ) -> Self:
        """Connect to a service outside, as a child, wait for its end, and return it.

        Parameters:
            connector: Name or title of a Connector in the same namespace, which holds inputs and
                secrets.
            connector_type: Type of the connection, such as `'GIT'`; not needed with a Connector.
                `'INPUT'` asks people: inputs are request (what to ask), timeout (minutes) and
                reference (comes back); `output_value['response']` is what they said.
            inputs: Inputs of the connection; they override those of the Connector.
            more_inputs: The same, one by one. `from_` stands for `from`, and so on for every word
                that Python reserves.

        The other parameters are those of `flow`.

        Raises:
            DependencyFailedError: The connection failed.
            ResourceNotFoundError: There is no such Connector.
            MissingInputError: An input that the type needs is missing.
            InvalidInputError: An input has the wrong type or value.
            ExtraInputError: The type does not know one of the inputs.
            PermissionDenied: An input may not override the Connector's.
            TypeError: Neither connector nor connector_type is given, or an input is no JSON value.

        Example:
            >>> repository = this.connect(
            ...     connector_type='GIT', command='metadata',
            ...     repository_url='https://example.com/path/to/repo.git',
            ... )
            >>> repository.get('output_value')['author_name']
            'Ada'
        """
        if connector is None and connector_type is None:
            raise TypeError("connect() needs a connector's name, a connector_type, or both")
        if connector is None and connector_type == "INPUT":
            title = one_name(name, name_)
            asked: Any = self._asked_of_people(inputs, more_inputs, title, wait, run, save)
            return asked  # type: ignore[no-any-return]
        return self._child(
            "connect",
            {"connector": connector, "connector_type": connector_type},
            wait,
            save,
            inputs=inputs,
            more_inputs=connection_inputs(more_inputs),
            name=one_name(name, name_),
            run=run,
            orphan=orphan,
            protect_inputs=protect_inputs,
            protect_outputs=protect_outputs,
            init=init,
        )

    def _asked_of_people(
        self,
        inputs: dict[str, Any] | None,
        more_inputs: dict[str, Any],
        name: str | None,
        wait: bool | ReturnWhen,
        run: bool,
        save: bool,
    ) -> Input:
        self._require_own("connect")
        if not save:
            raise TypeError("a question of type INPUT is no execution: no save=False, no using()")
        given = {**(inputs or {}), **more_inputs}
        return ask(self._backend, given, name=name, wait=wait, run=run)

    def task(
        self, task_type: str, /, inputs: dict[str, Any] | None = None, **arguments: Any
    ) -> Self:
        """Connect to a service: the older spelling of `connect(connector_type=task_type, …)`.

        Example:
            >>> url = 'https://example.com/path/to/repo.git'
            >>> this.task('GIT', command='metadata', repository_url=url).get('type')
            'CONNECTION'
        """
        return self.connect(connector_type=task_type, inputs=inputs, **arguments)

    def script(
        self,
        source: str,
        /,
        inputs: dict[str, Any] | None = None,
        *,
        name: str | None = None,
        name_: str | None = None,
        wait: bool | ReturnWhen = True,
        run: bool = True,
        save: bool = True,
        orphan: bool = False,
        protect_inputs: Iterable[str] = (),
        protect_outputs: Iterable[str] = (),
        init: dict[str, Any] | None = None,
        **more_inputs: Any,
    ) -> Self:
        """Run a script, given as text, as a child, wait for its end, and return it.

        Parameters:
            source: Python source text that defines `handler`.

        The other parameters and what is raised are those of `flow`.

        Example:
            >>> this.script('''
            ... def handler(system, this):
            ...     return {'answer': 42}
            ... ''').get('type')
            'SCRIPT'
        """
        return self._child(
            "script",
            {"script": source},
            wait,
            save,
            inputs=inputs,
            more_inputs=more_inputs,
            name=one_name(name, name_),
            run=run,
            orphan=orphan,
            protect_inputs=protect_inputs,
            protect_outputs=protect_outputs,
            init=init,
        )
