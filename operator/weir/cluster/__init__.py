"""The few calls that Weir makes to the Kubernetes API. The only importer of `kubernetes`."""
