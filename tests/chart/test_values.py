"""What single values do."""

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.chart.rendering import CHART, HelmError, Manifest, Rendered, render
from tests.chart.variants import VARIANTS

SERVER = "weir-server"
OPERATOR = "weir-operator"
POSTGRES = {"database": {"url": "postgresql+psycopg://weir:secret@db/weir"}}


def pod(rendered: Rendered, deployment: str) -> Manifest:
    spec: Manifest = rendered.one("Deployment", deployment)["spec"]["template"]["spec"]
    return spec


def variables(rendered: Rendered, deployment: str) -> Manifest:
    (container,) = pod(rendered, deployment)["containers"]
    return {one["name"]: one for one in container["env"]}


def volume(rendered: Rendered) -> Manifest:
    (found,) = (one for one in pod(rendered, SERVER)["volumes"] if one["name"] == "database")
    return {key: value for key, value in found.items() if key != "name"}


# Runners


def test_modules_come_from_pypi_and_are_not_kept() -> None:
    given = variables(render(), OPERATOR)
    assert json.loads(given["WEIR_RUNNER_PACKAGES"]["value"]) == []
    assert json.loads(given["WEIR_RUNNER_CACHE"]["value"]) == {}


def test_modules_may_come_from_elsewhere_and_be_kept() -> None:
    packages = {
        "indexUrl": "https://pypi.example.com/simple",
        "extraIndexUrls": ["https://a", "https://b"],
        "findLinks": ["/var/cache/weir/wheels"],
        "offline": True,
    }
    given = variables(
        render({"runner": {"packages": packages, "cache": {"hostPath": "/srv/weir"}}}), OPERATOR
    )
    assert json.loads(given["WEIR_RUNNER_PACKAGES"]["value"]) == [
        {"name": "UV_DEFAULT_INDEX", "value": "https://pypi.example.com/simple"},
        {"name": "UV_INDEX", "value": "https://a https://b"},
        {"name": "UV_FIND_LINKS", "value": "/var/cache/weir/wheels"},
        {"name": "WEIR_PACKAGES_OFFLINE", "value": "1"},
    ]
    assert json.loads(given["WEIR_RUNNER_CACHE"]["value"]) == {
        "hostPath": {"path": "/srv/weir", "type": "Directory"}
    }


def test_modules_may_be_kept_in_a_claim_but_not_in_two_places() -> None:
    given = variables(render({"runner": {"cache": {"claim": "modules"}}}), OPERATOR)
    assert json.loads(given["WEIR_RUNNER_CACHE"]["value"]) == {
        "persistentVolumeClaim": {"claimName": "modules"}
    }
    with pytest.raises(HelmError):
        render({"runner": {"cache": {"claim": "modules", "hostPath": "/srv/weir"}}})


# Storage and replicas


def test_sqlite_means_recreate_and_one_replica_and_no_disruption_budget() -> None:
    rendered = render()
    deployment = rendered.one("Deployment", SERVER)["spec"]
    assert deployment["strategy"] == {"type": "Recreate"}
    assert deployment["replicas"] == 1
    assert rendered.of_kind("PodDisruptionBudget") == []
    url = variables(rendered, SERVER)["WEIR_DATABASE_URL"]["value"]
    assert url == "sqlite:////var/lib/weir/weir.db"


def test_two_servers_on_sqlite_are_refused() -> None:
    with pytest.raises(HelmError, match="needs PostgreSQL"):
        render({"server": {"replicas": 2}})


def test_postgres_means_a_rolling_update_and_no_volume() -> None:
    rendered = render(POSTGRES | {"server": {"replicas": 2}})
    deployment = rendered.one("Deployment", SERVER)["spec"]
    assert deployment["strategy"]["type"] == "RollingUpdate"
    assert deployment["replicas"] == 2
    assert rendered.of_kind("PersistentVolumeClaim") == []
    assert [one["name"] for one in pod(rendered, SERVER)["volumes"]] == ["tmp"]


def test_a_database_url_goes_through_a_secret() -> None:
    rendered = render(POSTGRES)
    source = variables(rendered, SERVER)["WEIR_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    secret = rendered.one("Secret", source["name"])
    assert secret["stringData"][source["key"]] == POSTGRES["database"]["url"]


def test_an_existing_database_secret_is_used_and_none_is_made() -> None:
    rendered = render({"database": {"existingSecret": {"name": "db", "key": "dsn"}}})
    source = variables(rendered, SERVER)["WEIR_DATABASE_URL"]["valueFrom"]["secretKeyRef"]
    assert source == {"name": "db", "key": "dsn"}
    assert rendered.of_kind("Secret") == []


def test_a_new_database_url_restarts_the_server() -> None:
    def annotations(url: str) -> Manifest:
        template = render({"database": {"url": url}}).one("Deployment", SERVER)["spec"]["template"]
        found: Manifest = template["metadata"]["annotations"]
        return found

    assert annotations("postgresql+psycopg://a/b") != annotations("postgresql+psycopg://a/c")


@pytest.mark.parametrize(
    ("storage", "expected"),
    [
        ({}, {"persistentVolumeClaim": {"claimName": SERVER}}),
        (
            {"type": "existingClaim", "claim": "mine"},
            {"persistentVolumeClaim": {"claimName": "mine"}},
        ),
        (
            {"type": "hostPath", "path": "/srv/weir"},
            {"hostPath": {"path": "/srv/weir", "type": "Directory"}},
        ),
    ],
)
def test_the_database_lies_on_a_volume_that_outlives_the_pod(
    storage: Manifest, expected: Manifest
) -> None:
    assert volume(render({"server": {"storage": storage}})) == expected


def test_uninstalling_leaves_the_databases_volume_and_the_crds() -> None:
    rendered = render()
    for one in rendered.of_kind("PersistentVolumeClaim", "CustomResourceDefinition"):
        assert one["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"


@pytest.mark.parametrize("component", ["operator", "server"])
def test_a_disruption_budget_comes_with_the_second_replica(component: str) -> None:
    rendered = render(POSTGRES | {component: {"replicas": 2}})
    (budget,) = rendered.of_kind("PodDisruptionBudget")
    assert budget["metadata"]["name"] == f"weir-{component}"


# Scope


def test_a_namespaced_install_renders_no_cluster_role_and_no_policy() -> None:
    rendered = render(VARIANTS["two namespaces"] | {"crds": {"install": False}})
    kinds = {one["kind"] for one in rendered}
    assert not {kind for kind in kinds if kind.startswith(("Cluster", "Validating", "Custom"))}
    watched = {"team-a", "team-b"}
    for component in (OPERATOR, SERVER):
        value = variables(rendered, component)["WEIR_WATCH_NAMESPACES"]["value"]
        assert set(value.split(",")) == watched
        for kind in ("Role", "RoleBinding"):
            namespaces = {
                one["metadata"]["namespace"]
                for one in rendered.of_kind(kind)
                if one["metadata"]["name"] == f"weir-system-{component}"
            }
            assert namespaces == watched


def test_a_second_installation_can_leave_the_crds_out() -> None:
    assert len(render().of_kind("CustomResourceDefinition")) >= 3
    assert render({"crds": {"install": False}}).of_kind("CustomResourceDefinition") == []


def test_two_namespaced_installations_have_no_name_in_common() -> None:
    values = {"watchNamespaces": ["team"]}
    assert "weir-system-weir-server" in {
        one["metadata"]["name"] for one in render(values).of_kind("Role")
    }
    assert "weir-system-other-weir-server" in {
        one["metadata"]["name"] for one in render(values, "other").of_kind("Role")
    }


# TLS, addresses, images


def test_the_operator_is_told_the_names_that_the_chart_gives() -> None:
    rendered = render(release="mine")
    env = {key: one.get("value") for key, one in variables(rendered, "mine-weir-operator").items()}
    service = rendered.one("Service", "mine-weir-server")
    assert env["WEIR_SERVER_SERVICE"] == service["metadata"]["name"]
    assert env["WEIR_LEASE"] == "mine-weir-operator"


def test_cert_manager_makes_the_secret_that_the_server_reads() -> None:
    rendered = render(VARIANTS["cert-manager and a pod monitor"])
    certificate = rendered.one("Certificate", SERVER)["spec"]
    assert certificate["secretName"] == variables(rendered, SERVER)["WEIR_TLS_SECRET"]["value"]
    assert "weir-server" in certificate["dnsNames"]


def test_a_node_port_is_given_to_node_port_services_only() -> None:
    def ports(kind: str) -> list[Manifest]:
        rendered = render({"server": {"service": {"type": kind, "nodePort": 30843}}})
        found: list[Manifest] = rendered.one("Service", SERVER)["spec"]["ports"]
        return found

    assert ports("NodePort")[0]["nodePort"] == 30843
    assert "nodePort" not in ports("ClusterIP")[0]


def test_images_default_to_the_charts_app_version() -> None:
    rendered = render()
    assert pod(rendered, SERVER)["containers"][0]["image"] == "weir-operator:0.1.0"
    assert variables(rendered, OPERATOR)["WEIR_RUNNER_IMAGE"]["value"] == "weir-runner:0.1.0"


# Network


def test_runner_pods_reach_the_server_and_dns_and_what_is_added() -> None:
    rendered = render(VARIANTS["everything set"])
    policy = rendered.one("NetworkPolicy", "weir-runners")
    assert policy["metadata"]["namespace"] == "team-a"
    server, dns, added = policy["spec"]["egress"]
    selector = server["to"][0]["podSelector"]["matchLabels"]
    labels = rendered.one("Deployment", SERVER)["spec"]["template"]["metadata"]["labels"]
    assert labels.items() >= selector.items()
    assert server["ports"] == [{"port": 8443}]
    assert {port["port"] for port in dns["ports"]} == {53}
    assert added == {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}


def test_nothing_but_its_two_ports_is_open_at_the_server() -> None:
    ingress = render().one("NetworkPolicy", SERVER)["spec"]["ingress"]
    assert [port["port"] for rule in ingress for port in rule["ports"]] == ["https", "health"]


def test_what_fetches_from_git_hosts_and_pushes_to_them_may_reach_them() -> None:
    for component in (OPERATOR, SERVER):
        spec = render().one("NetworkPolicy", component)["spec"]
        assert spec["policyTypes"] == ["Ingress"]


# Mistakes


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"sever": {}}, "sever"),
        ({"server": {"replica": 1}}, "replica"),
        ({"server": {"storage": {"type": "nfs"}}}, "storage/type"),
        ({"server": {"service": {"type": "Nodeport"}}}, "service/type"),
        ({"server": {"archiveFor": "two weeks"}}, "archiveFor"),
        ({"server": {"developmentTtl": "1 hour"}}, "developmentTtl"),
        ({"watchNamespaces": "team-a"}, "watchNamespaces"),
        ({"watchNamespaces": ["Team A"]}, "watchNamespaces"),
        ({"image": {"runner": {"repository": "weir-runner:1.0"}}}, "repository"),
        ({"logging": {"level": "loud"}}, "level"),
        ({"database": {"url": "mysql://db"}}, "url"),
        (
            {"database": {"url": "postgresql+psycopg://x", "existingSecret": {"name": "y"}}},
            "not both",
        ),
        ({"server": {"storage": {"type": "hostPath"}}}, "needs server.storage.path"),
        ({"server": {"storage": {"type": "existingClaim"}}}, "needs server.storage.claim"),
        ({"tls": {"certManager": {"enabled": True}}}, "issuerRef"),
    ],
)
def test_a_mistake_is_refused_and_named(values: Manifest, message: str) -> None:
    with pytest.raises(HelmError, match=message):
        render(values)


# The README

ANY_COMPONENT = [
    "resources",
    "podAnnotations",
    "podLabels",
    "nodeSelector",
    "tolerations",
    "affinity",
    "topologySpreadConstraints",
    "priorityClassName",
    "env",
]


def leaves(values: Manifest, prefix: str = "") -> Iterator[str]:
    for key, value in values.items():
        if isinstance(value, dict) and value and key not in ("resources", "issuerRef"):
            yield from leaves(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_every_value_is_in_the_readme() -> None:
    readme = (CHART / "README.md").read_text()
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    shared = {f"{part}.{key}" for part in ("operator", "server") for key in ANY_COMPONENT}
    missing = [key for key in leaves(values) if key not in shared and f"`{key}`" not in readme]
    assert missing == []


def test_the_schema_knows_exactly_the_values_that_there_are() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def same(schema: Manifest, values: Manifest, path: str) -> None:
        if "properties" in schema:
            known = set(schema["properties"]) - {"global"}
            assert schema["additionalProperties"] is False, path
            assert set(values) <= known, path
            if values and path != "tls.certManager.issuerRef":
                assert set(values) == known, path
            for key, value in values.items():
                if isinstance(value, dict):
                    same(schema["properties"][key], value, f"{path}.{key}".strip("."))

    same(schema, values, "")


# Ingress

INGRESS = {"enabled": True, "host": "weir.example.com"}


def test_nobody_calls_from_outside_unless_it_is_wanted() -> None:
    assert render().of_kind("Ingress") == []


def test_an_ingress_opens_webhooks_and_push_notices_and_nothing_else() -> None:
    more = {
        "className": "nginx",
        "tls": {"secretName": "weir-tls"},
        "annotations": {"nginx.ingress.kubernetes.io/backend-protocol": "HTTPS"},
    }
    ingress = render({"server": {"ingress": INGRESS | more}}).one("Ingress", SERVER)
    assert ingress["metadata"]["annotations"] == more["annotations"]
    spec = ingress["spec"]
    assert spec["ingressClassName"] == "nginx"
    assert spec["tls"] == [{"secretName": "weir-tls", "hosts": ["weir.example.com"]}]
    (rule,) = spec["rules"]
    assert rule["host"] == "weir.example.com"
    assert [(one["path"], one["pathType"]) for one in rule["http"]["paths"]] == [
        ("/hooks", "Prefix"),
        ("/git", "Prefix"),
    ]
    for path in rule["http"]["paths"]:
        assert path["backend"]["service"] == {"name": SERVER, "port": {"name": "https"}}


@pytest.mark.parametrize(
    "wrong", [{"host": ""}, {"host": "a b"}, {"paths": ["/api"]}, {"paths": []}, {"port": 1}]
)
def test_an_ingress_that_opens_too_much_or_has_no_host_is_refused(wrong: Manifest) -> None:
    with pytest.raises(HelmError):
        render({"server": {"ingress": INGRESS | wrong}})
