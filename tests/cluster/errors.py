"""What goes wrong with a test cluster, said so that a person can act on it."""


class ClusterError(Exception):
    """A cluster cannot be had; the message says why and what to do."""
