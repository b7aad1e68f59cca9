"""What can go wrong with the database, by what follows from it."""


class StorageError(Exception):
    """The database refused, or could not be asked."""


class StorageUnavailable(StorageError):
    """The database does not answer now; the same request may succeed later."""


class Fenced(StorageError):
    """A newer attempt has begun: what the older one says no longer counts."""
