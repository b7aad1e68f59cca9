"""`system`: what a script may ask of the installation around its own run."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flow_api._backend import Backend
    from flow_api._execution import Execution
    from flow_api._messages import Message
    from flow_api._records import File, Schema, Setting
    from flow_api._resource import Resource
    from flow_api._vault import Vault
    from weir_protocol.arguments import RecordKind

Filter = dict[str, Any] | None


class ReturnWhen(enum.StrEnum):
    """When a wait for several executions returns."""

    ALL_SUCCEEDED = "ALL_SUCCEEDED"  # all succeeded; raises as soon as one ends badly
    ALL_ENDED = "ALL_ENDED"  # all ended, however; does not raise
    FIRST_ENDED = "FIRST_ENDED"  # at least one ended, however; does not raise


class System:
    """The first argument of every handler.

    Attributes:
        return_when: The ways to wait, for `this.wait_for` and for `wait=`.

    Example:
        >>> child = this.flow('may fail', wait=system.return_when.ALL_ENDED)
        >>> child.get('status')
        'ENDED_ERROR'
    """

    __slots__ = ("_backend", "_environment", "_user")

    return_when = ReturnWhen

    def __init__(self, backend: Backend, *, environment: str = "", user: str = "") -> None:
        self._backend = backend
        self._environment = environment
        self._user = user

    def message(
        self,
        subject: str,
        message: str | None = None,
        *,
        request: str | None = None,
        body: dict[str, Any] | None = None,
        wait: bool = False,
        timeout: float | None = None,
        message_type: str | None = None,
    ) -> Message:
        """Ask people, or tell them something, without waiting for their answer.

        The parameters are those of `this.message`, but `wait` is False.

        Example:
            >>> message = system.message('The backup is done', 'It took **12 minutes**.')
            >>> message.wait().get('response')
            {'ok': True}
        """
        from flow_api._messages import send  # which needs this module

        sent = send(
            self._backend, subject, message, request=request, body=body, message_type=message_type
        )
        return sent.wait(timeout) if wait else sent

    def setting(self, name: str) -> Setting:
        """Return a setting: a value that scripts share, and a lock, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.setting('limits').get('value')
            {'rows': 100}
        """
        found: Setting = self._record("setting", name)
        return found

    def file(self, name: str) -> File:
        """Return a file that scripts share, by its name.

        Parameters:
            name: Its name. There need not be one yet.

        Example:
            >>> system.file('report.txt').get_text_content()
            'all well'
        """
        found: File = self._record("file", name)
        return found

    def schema(self, name: str) -> Schema:
        """Return a JSON Schema, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.schema('order').exists()
            False
        """
        found: Schema = self._record("schema", name)
        return found

    def flow(self, name: str) -> Resource:
        """Return a flow as a record: its script and its schemas, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.flow('greet').get('is_enabled')
            True
        """
        found: Resource = self._record("flow", name)
        return found

    def connector(self, name: str) -> Resource:
        """Return a connector as a record, without its secrets, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.connector('missing').exists()
            False
        """
        found: Resource = self._record("connector", name)
        return found

    def schedule(self, name: str) -> Resource:
        """Return a schedule as a record: what runs when, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.schedule('nightly').get('cron', 'time_zone')
            ('0 3 * * *', 'Europe/Vienna')
        """
        found: Resource = self._record("schedule", name)
        return found

    def webhook(self, name: str) -> Resource:
        """Return a webhook as a record, without its secrets, by its name.

        Parameters:
            name: Its object's name, its title, or what its title's slug is made of. There need not
                be one yet.

        Example:
            >>> system.webhook('push').get('is_enabled')
            False
        """
        found: Resource = self._record("webhook", name)
        return found

    def vault(self, name: str) -> Vault:
        """Return the Vault behind a Connector of type VAULT.

        Parameters:
            name: The Connector's object name or title.

        Example:
            >>> system.vault('team vault').secret('app/database', 'user')
            'ada'
        """
        from flow_api._vault import Vault  # which needs this module

        return Vault(self._backend, name)

    def execution(self, id: str) -> Execution:
        """Return an execution of this run's own tree, as it is now; where the flow's `spec.allow`
        names executions, of any tree in the namespace, but then without its values.

        Parameters:
            id: Its `id`, or its `object_name`.

        Raises:
            ResourceNotFoundError: There is no such execution in the namespace.
            PermissionDenied: It is of another tree, and the flow's `spec.allow` does not name
                executions. `system.executions()` tells how it is.

        Example:
            >>> child = this.flow('greet', wait=False, person='Ada')
            >>> system.execution(child.get('id')).get('status')
            'ENDED_SUCCESS'
        """
        from flow_api._execution import Execution  # which needs this module
        from flow_api._records import read_execution

        return Execution(self._backend, read_execution(self._backend, id))

    def settings(self, filter: Filter = None, *, filter_: Filter = None) -> list[Setting]:
        """Return the settings of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> [one.get('name') for one in system.settings()]
            ['limits']
        """
        found: list[Setting] = self._listed("setting", filter, filter_)
        return found

    def files(self, filter: Filter = None, *, filter_: Filter = None) -> list[File]:
        """Return the files of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> texts = {'field': 'name', 'op': 'like', 'value': '%.txt'}
            >>> [one.get('name') for one in system.files(texts)]
            ['report.txt']
        """
        found: list[File] = self._listed("file", filter, filter_)
        return found

    def schemas(self, filter: Filter = None, *, filter_: Filter = None) -> list[Schema]:
        """Return the schemas of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> system.schemas()
            []
        """
        found: list[Schema] = self._listed("schema", filter, filter_)
        return found

    def flows(self, filter: Filter = None, *, filter_: Filter = None) -> list[Resource]:
        """Return the flows of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> [one.get('name') for one in system.flows()]
            ['greet']
        """
        found: list[Resource] = self._listed("flow", filter, filter_)
        return found

    def connectors(self, filter: Filter = None, *, filter_: Filter = None) -> list[Resource]:
        """Return the connectors of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> system.connectors()
            []
        """
        found: list[Resource] = self._listed("connector", filter, filter_)
        return found

    def schedules(self, filter: Filter = None, *, filter_: Filter = None) -> list[Resource]:
        """Return the schedules of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> [one.get('name') for one in system.schedules()]
            ['nightly']
        """
        found: list[Resource] = self._listed("schedule", filter, filter_)
        return found

    def webhooks(self, filter: Filter = None, *, filter_: Filter = None) -> list[Resource]:
        """Return the webhooks of the namespace, by name.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> [one.get('path') for one in system.webhooks()]
            ['/hooks/team/push']
        """
        found: list[Resource] = self._listed("webhook", filter, filter_)
        return found

    def executions(self, filter: Filter = None, *, filter_: Filter = None) -> list[Resource]:
        """Return the executions of the namespace, the oldest first.

        Of those of other trees a script sees the fields, without input_value and output_value.

        Parameters:
            filter: `{'field': …, 'op': …, 'value': …}`, or `{'and': [filter, …]}`, `{'or': …}`,
                `{'not': filter}`. Ops: eq, ne, like (with % and _), in, gt, lt, ge, le, isnull.
            filter_: The same.

        Raises:
            InvalidInputError: The filter asks for a field or an op that there is not.

        Example:
            >>> failed = {'field': 'status', 'op': 'eq', 'value': 'ENDED_ERROR'}
            >>> system.executions(failed)
            []
        """
        found: list[Resource] = self._listed("execution", filter, filter_)
        return found

    def get_env_name(self) -> str:
        """Return what people call this installation, or else the run's namespace.

        Example:
            >>> system.get_env_name()
            'production'
        """
        return self._environment

    def get_own_user(self) -> str | None:
        """Return who started the tree of this run, as far as is known.

        Example:
            >>> system.get_own_user()
            'ada'
        """
        return self._user or None

    def _record(self, kind: RecordKind, name: str) -> Any:
        from flow_api._records import record

        return record(self._backend, kind, name)

    def _listed(self, kind: RecordKind, wanted: Filter, wanted_: Filter) -> Any:
        from flow_api._records import listed

        return listed(self._backend, kind, wanted, wanted_)
