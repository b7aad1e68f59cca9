"""Many flows over all operations while operator, server and runner Pods are killed."""
