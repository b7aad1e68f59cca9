"""The kinds of objects that Weir reads or writes, as the API's paths name them."""

from typing import NamedTuple

from weir.api import names
from weir.api.connector import Connector
from weir.api.execution import Execution
from weir.api.flow import Flow
from weir.api.message import Message
from weir.api.repository import FlowRepository
from weir.api.schedule import Schedule
from weir.api.schema import Schema
from weir.api.setting import Setting
from weir.api.webhook import Webhook


class Kind(NamedTuple):
    """One kind of object."""

    group: str  # "" for the core group
    version: str
    plural: str
    namespaced: bool = True

    def path(self, namespace: str | None = None, name: str = "") -> str:
        """Return the URL path of one object, or of all (in a namespace)."""
        path = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        if self.namespaced and namespace:
            path += f"/namespaces/{namespace}"
        return f"{path}/{self.plural}/{name}" if name else f"{path}/{self.plural}"


FLOWS = Kind(names.GROUP, names.VERSION, Flow.PLURAL)
EXECUTIONS = Kind(names.GROUP, names.VERSION, Execution.PLURAL)
CONNECTORS = Kind(names.GROUP, names.VERSION, Connector.PLURAL)
MESSAGES = Kind(names.GROUP, names.VERSION, Message.PLURAL)
SETTINGS = Kind(names.GROUP, names.VERSION, Setting.PLURAL)
SCHEMAS = Kind(names.GROUP, names.VERSION, Schema.PLURAL)
SCHEDULES = Kind(names.GROUP, names.VERSION, Schedule.PLURAL)
WEBHOOKS = Kind(names.GROUP, names.VERSION, Webhook.PLURAL)
FLOW_REPOSITORIES = Kind(names.GROUP, names.VERSION, FlowRepository.PLURAL)
BY_NAME = {
    model.KIND: Kind(names.GROUP, names.VERSION, model.PLURAL)
    for model in (Flow, Execution, Connector, Setting, Schema, Schedule, Webhook)
}
"""The kinds that a FlowRepository may bring, by what manifests call them."""
PODS = Kind("", "v1", "pods")
SECRETS = Kind("", "v1", "secrets")
CONFIG_MAPS = Kind("", "v1", "configmaps")
SERVICES = Kind("", "v1", "services")
NAMESPACES = Kind("", "v1", "namespaces", namespaced=False)
EVENTS = Kind("", "v1", "events")
CONTROLLER_REVISIONS = Kind("apps", "v1", "controllerrevisions")
LEASES = Kind("coordination.k8s.io", "v1", "leases")
TOKEN_REVIEWS = Kind("authentication.k8s.io", "v1", "tokenreviews", namespaced=False)
SUBJECT_ACCESS_REVIEWS = Kind(
    "authorization.k8s.io", "v1", "subjectaccessreviews", namespaced=False
)
SELF_SUBJECT_REVIEWS = Kind("authentication.k8s.io", "v1", "selfsubjectreviews", namespaced=False)
CUSTOM_RESOURCE_DEFINITIONS = Kind(
    "apiextensions.k8s.io", "v1", "customresourcedefinitions", namespaced=False
)
