"""Who may do what: a change of any right shows here, where it is read again."""

from collections import defaultdict

import pytest

from tests.chart.rendering import Manifest, Rendered, render
from tests.chart.variants import VARIANTS
from weir.crds import KINDS

Rights = dict[str, str]

OPERATOR: Rights = {
    "weir.dev/connectors": "get list watch",
    "weir.dev/flowrepositories": "get list watch",
    "weir.dev/flows": "create delete get list patch watch",
    "weir.dev/schedules": "create delete get list patch watch",
    "weir.dev/settings": "create delete get list patch",
    "weir.dev/schemas": "create delete get list patch",
    "weir.dev/executions": "create get list patch watch",
    "weir.dev/flows/status": "patch",
    "weir.dev/schedules/status": "patch",
    "weir.dev/flowrepositories/status": "patch",
    "weir.dev/connectors/status": "patch",
    "weir.dev/executions/status": "patch",
    "/pods": "create delete get list watch",
    "apps/controllerrevisions": "create delete get list",
    "/secrets": "get",
    "/events": "create",
    "/serviceaccounts": "impersonate",
}
OPERATOR_OWN: Rights = {
    "coordination.k8s.io/leases": "create",
    "coordination.k8s.io/leases[weir-operator]": "get patch",
    "/services[weir-server]": "get",
    "/secrets": "create",
    "/secrets[weir-server-tls]": "get patch",
    "/secrets[weir-ca]": "get patch",
    "/configmaps": "create",
    "/configmaps[weir-server-ca]": "get patch",
}
SERVER: Rights = {
    "weir.dev/flows": "create delete get list patch watch",
    "weir.dev/connectors": "create delete get list patch watch",
    "weir.dev/settings": "create delete get list patch watch",
    "weir.dev/schemas": "create delete get list patch watch",
    "weir.dev/schedules": "create delete get list patch watch",
    "weir.dev/webhooks": "create delete get list patch watch",
    "weir.dev/flowrepositories": "get list patch watch",
    "weir.dev/settings/status": "patch",
    "weir.dev/webhooks/status": "patch",
    "weir.dev/executions": "create delete get list patch watch",
    "weir.dev/executions/status": "patch",
    "weir.dev/messages": "create get list watch",
    "weir.dev/messages/status": "patch",
    "apps/controllerrevisions": "get",
    "/pods": "get",
    "/secrets": "get",
}
SERVER_CLUSTER: Rights = {
    "authentication.k8s.io/tokenreviews": "create",
    "authorization.k8s.io/subjectaccessreviews": "create",
    "url:/openid/v1/jwks": "get",
    "url:/.well-known/openid-configuration": "get",
}
SERVER_OWN: Rights = {
    "/secrets[weir-server-tls]": "get list watch",
}
DISCOVERY: Rights = {
    "/configmaps[weir-server-ca]": "get",
    "/services": "get list",
}
_LOOK = {
    f"weir.dev/{kind}": "get list watch"
    for kind in (
        "flows",
        "executions",
        "connectors",
        "messages",
        "settings",
        "schemas",
        "schedules",
        "webhooks",
        "flowrepositories",
    )
}
_ANSWER = {"weir.dev/messages": "get list patch update watch"}
_WRITE = "create delete deletecollection get list patch update watch"
_FILES = {"weir.dev/files": "get list"}
VIEW: Rights = _LOOK | _FILES
USER: Rights = (
    _LOOK | _FILES | _ANSWER | {"weir.dev/executions": "create get list patch update watch"}
)
AUTHOR: Rights = (
    dict.fromkeys(_LOOK, _WRITE) | _ANSWER | {"weir.dev/files": "delete get list update"}
)


def rights(role: Manifest) -> Rights:
    """Return verbs by resource; a rule that is limited to a name has the name in brackets."""
    found: dict[str, set[str]] = defaultdict(set)
    for rule in role["rules"]:
        names = [f"[{name}]" for name in rule.get("resourceNames", [])] or [""]
        for url in rule.get("nonResourceURLs", []):
            found[f"url:{url}"].update(rule["verbs"])
        for group in rule.get("apiGroups", []):
            for resource in rule["resources"]:
                for name in names:
                    found[f"{group}/{resource}{name}"].update(rule["verbs"])
    return {resource: " ".join(sorted(verbs)) for resource, verbs in found.items()}


def cluster_role(rendered: Rendered, name: str) -> Rights:
    return rights(rendered.one("ClusterRole", name))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("ClusterRole", "weir-system-weir-operator", OPERATOR),
        ("ClusterRole", "weir-system-weir-server", SERVER | SERVER_CLUSTER),
        ("Role", "weir-operator-own", OPERATOR_OWN),
        ("Role", "weir-server-own", SERVER_OWN),
        ("Role", "weir-discovery", DISCOVERY),
        ("ClusterRole", "weir-view", VIEW),
        ("ClusterRole", "weir-user", USER),
        ("ClusterRole", "weir-author", AUTHOR),
    ],
)
def test_the_rights_of_a_cluster_wide_installation(kind: str, name: str, expected: Rights) -> None:
    assert rights(render().one(kind, name)) == expected


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("weir-system-weir-operator", OPERATOR),
        ("weir-system-weir-server", SERVER),
        ("weir-view", VIEW),
        ("weir-user", USER),
        ("weir-author", AUTHOR),
    ],
)
def test_the_rights_in_a_watched_namespace(name: str, expected: Rights) -> None:
    assert rights(render({"watchNamespaces": ["team"]}).one("Role", name)) == expected


def test_with_cert_manager_the_operator_makes_no_secrets() -> None:
    own = rights(
        render(VARIANTS["cert-manager and a pod monitor"]).one("Role", "weir-operator-own")
    )
    assert {key: verbs for key, verbs in own.items() if "secrets" in key} == {
        "/secrets[weir-server-tls]": "get"
    }


@pytest.mark.parametrize("watched", [[], ["team"]], ids=["cluster-wide", "namespaced"])
def test_the_operator_acts_as_service_accounts_unless_told_not_to(watched: list[str]) -> None:
    def acts_as(**repositories: object) -> Rights:
        values = {"watchNamespaces": watched, "operator": {"repositories": repositories}}
        role = "Role" if watched else "ClusterRole"
        found = rights(render(values).one(role, "weir-system-weir-operator"))
        return {key: verbs for key, verbs in found.items() if "impersonate" in verbs}

    assert acts_as() == {"/serviceaccounts": "impersonate"}
    assert acts_as(impersonation=False) == {}
    assert acts_as(serviceAccounts=["sync", "git"]) == {
        "/serviceaccounts[sync]": "impersonate",
        "/serviceaccounts[git]": "impersonate",
    }
    assert acts_as(impersonation=False, serviceAccounts=["sync"]) == {}


def test_nobody_acts_as_a_user_or_a_group() -> None:
    for role in render().of_kind("Role", "ClusterRole"):
        for rule in role["rules"]:
            if "impersonate" in rule["verbs"]:
                assert role["metadata"]["name"] == "weir-system-weir-operator"
                assert rule["resources"] == ["serviceaccounts"]


def test_every_role_is_pinned_here() -> None:
    roles = render().of_kind("Role", "ClusterRole")
    assert len(roles) == 8


def test_nobody_gets_a_wildcard() -> None:
    for values in ({}, {"watchNamespaces": ["team"]}):
        for role in render(values).of_kind("Role", "ClusterRole"):
            for rule in role["rules"]:
                assert all("*" not in part for part in rule.values())


def test_people_see_every_kind_and_authors_write_all_but_what_runs_ask() -> None:
    kinds = {f"weir.dev/{kind.PLURAL}" for kind in KINDS}
    for name in ("weir-view", "weir-user", "weir-author"):
        found = cluster_role(render(), name)
        assert {key for key, verbs in found.items() if "watch" in verbs} == kinds
    written = {
        key for key, verbs in cluster_role(render(), "weir-author").items() if "cre" in verbs
    }
    assert written == kinds - {"weir.dev/messages"}


def test_no_person_may_write_a_status() -> None:
    for name in ("weir-view", "weir-user", "weir-author"):
        assert not any("status" in key for key in cluster_role(render(), name))


def test_roles_join_the_clusters_own_unless_told_not_to() -> None:
    def labels(values: Manifest, role: str) -> set[str]:
        prefix = "rbac.authorization.k8s.io/aggregate-to-"
        found = render(values).one("ClusterRole", role)["metadata"]["labels"]
        return {label.removeprefix(prefix) for label in found if label.startswith(prefix)}

    assert labels({}, "weir-view") == {"view", "edit", "admin"}
    assert labels({}, "weir-user") == {"edit", "admin"}
    assert labels({}, "weir-author") == {"edit", "admin"}
    assert labels({"roles": {"aggregate": False}}, "weir-author") == set()
