"""Values that people install with: every assertion about all renderings holds for each of them."""

from tests.chart.rendering import Manifest

VARIANTS: dict[str, Manifest] = {
    "defaults": {},
    "two namespaces": {
        "watchNamespaces": ["team-a", "team-b"],
        "networkPolicy": {"runners": {"namespaces": ["team-a"]}},
    },
    "postgres": {
        "database": {"url": "postgresql+psycopg://weir:secret@db/weir"},
        "operator": {"replicas": 2},
        "server": {"replicas": 3},
    },
    "postgres by secret": {"database": {"existingSecret": {"name": "db", "key": "dsn"}}},
    "a bare node": {
        "image": {"operator": {"tag": "abc", "pullPolicy": "Never"}},
        "server": {
            "service": {"type": "NodePort", "nodePort": 30843},
            "storage": {"type": "hostPath", "path": "/srv/weir"},
        },
    },
    "repositories without impersonation": {
        "operator": {"repositories": {"impersonation": False, "maxBytes": 1048576}},
    },
    "an existing claim": {"server": {"storage": {"type": "existingClaim", "claim": "mine"}}},
    "cert-manager and a pod monitor": {
        "tls": {
            "certManager": {"enabled": True, "issuerRef": {"name": "ca", "kind": "ClusterIssuer"}}
        },
        "monitoring": {"podMonitor": {"enabled": True, "labels": {"release": "prometheus"}}},
    },
    "everything set": {
        "image": {"pullSecrets": [{"name": "registry"}]},
        "operator": {
            "podLabels": {"a": "b"},
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"disk": "ssd"},
            "tolerations": [{"key": "x", "operator": "Exists"}],
            "affinity": {"nodeAffinity": {}},
            "topologySpreadConstraints": [
                {"maxSkew": 1, "topologyKey": "zone", "whenUnsatisfiable": "ScheduleAnyway"}
            ],
            "priorityClassName": "high",
            "env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
            "repositories": {"concurrency": 2, "serviceAccounts": ["sync"]},
        },
        "server": {
            "podAnnotations": {"a": "b"},
            "nodeSelector": {"disk": "ssd"},
            "service": {"type": "LoadBalancer", "annotations": {"a": "b"}},
            "ingress": {"enabled": True, "host": "weir.test", "annotations": {"a": "b"}},
            "storage": {"storageClass": "fast", "size": "20Gi"},
            "env": [{"name": "HTTPS_PROXY", "value": "http://proxy"}],
        },
        "networkPolicy": {
            "metricsFrom": [{"namespaceSelector": {}}],
            "runners": {
                "namespaces": ["team-a"],
                "egress": [{"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]}],
            },
        },
    },
}
