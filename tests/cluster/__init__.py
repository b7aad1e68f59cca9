"""How a test gets a Kubernetes cluster, where there may be nothing but package registries.

`apiserver.ApiServer` is an API server with etcd, for integration tests. `bare.BareCluster` is a
whole node without Docker; `kind` and `current` are the other two providers of whole clusters.
"""
