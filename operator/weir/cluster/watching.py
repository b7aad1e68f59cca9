"""List and watch: a stream of changes that starts with what is there and never ends.

Kopf's own watch sends no selectors and reads in one piece; this one does both, so that a cluster's
other Pods cost nothing.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from weir.api.resource import JsonObject
from weir.cluster.errors import ClusterError
from weir.cluster.kinds import Kind

logger = logging.getLogger(__name__)

# The API server ends a watch after this long; it is then resumed. Bookmarks come about once a
# minute.
_WATCH_SECONDS = 300
# Without a byte for this long (bookmarks included) the connection is taken for dead.
_SILENCE_SECONDS = 90.0
_FIRST_DELAY, _MAX_DELAY = 0.2, 15.0


class ChangeType(StrEnum):
    """What a change says of its object."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    SYNCED = "SYNCED"  # no object: everything that exists has been told
    ALIVE = "ALIVE"  # no object: the watch was heard of


class Change(NamedTuple):
    """One change of one object; `object` is empty for SYNCED and ALIVE."""

    type: ChangeType
    object: JsonObject


class Listing(NamedTuple):
    """Objects of a list, and the version of the collection they were read at."""

    items: list[JsonObject]
    resource_version: str


class Source(Protocol):
    """What is listed and watched: a `client.Cluster`."""

    def pages(
        self, kind: Kind, namespace: str | None = None, *, labels: str = "", fields: str = ""
    ) -> AsyncIterator[Listing]:
        """Read all objects that match the selectors, some at a time."""

    def stream(self, path: str, query: dict[str, str], *, seconds: float) -> AsyncIterator[bytes]:
        """Yield the lines of a streamed answer."""


class _Expired(Exception):
    """The version to resume from is too old: list again."""


def trimmed(item: JsonObject) -> JsonObject:
    """Drop what nobody here reads and what is a quarter of an object: managedFields."""
    metadata = item.get("metadata")
    if isinstance(metadata, dict):
        metadata.pop("managedFields", None)
    return item


def emptied(items: list[JsonObject]) -> Iterator[JsonObject]:
    """Iterate over objects, and let go of each: a large list is gone when its end is reached."""
    items.reverse()
    while items:
        yield items.pop()


async def follow(
    source: Source, kind: Kind, namespace: str | None, *, labels: str = "", fields: str = ""
) -> AsyncIterator[Change]:
    """Yield ADDED for everything there is, SYNCED, and then each change, for ever.

    An interrupted watch goes on from the last version seen. When that is too old, everything is
    listed again: known objects come as ADDED once more, vanished ones as DELETED (with their last
    known metadata), then SYNCED. An API server that does not answer is asked again with a growing
    delay.
    """
    known: dict[str, _Identity] = {}  # by UID
    version = ""
    delay = _FIRST_DELAY
    while True:
        try:
            if not version:
                reached = ""
                pages = source.pages(kind, namespace, labels=labels, fields=fields)
                if known:
                    # First what vanished: another object may have its name now.
                    whole = [page async for page in pages]
                    there = {one["metadata"]["uid"] for page in whole for one in page.items}
                    for uid in known.keys() - there:
                        yield Change(ChangeType.DELETED, _last_known(uid, known.pop(uid)))
                    pages = _one_by_one(whole)
                async for page in pages:
                    reached = page.resource_version
                    for item in emptied(page.items):
                        known[item["metadata"]["uid"]] = _identity(item)
                        yield Change(ChangeType.ADDED, item)
                version = reached
                yield Change(ChangeType.SYNCED, {})
            async for change, reached in _watch(source, kind, namespace, labels, fields, version):
                delay = _FIRST_DELAY
                version = reached
                if change.type == ChangeType.DELETED:
                    known.pop(change.object["metadata"]["uid"], None)
                elif change.object:
                    known[change.object["metadata"]["uid"]] = _identity(change.object)
                yield change
        except _Expired:
            version = ""
        except ClusterError as error:
            logger.warning(
                "Watch interrupted", extra={"kind": kind.plural, "error": error.message[:300]}
            )
            await asyncio.sleep(delay * random.uniform(0.5, 1.0))
            delay = min(delay * 2, _MAX_DELAY)


async def _one_by_one(pages: list[Listing]) -> AsyncIterator[Listing]:
    pages.reverse()
    while pages:
        yield pages.pop()


async def _watch(
    source: Source,
    kind: Kind,
    namespace: str | None,
    labels: str,
    fields: str,
    version: str,
) -> AsyncIterator[tuple[Change, str]]:
    query = {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "resourceVersion": version,
        "timeoutSeconds": str(_WATCH_SECONDS),
    }
    if labels:
        query["labelSelector"] = labels
    if fields:
        query["fieldSelector"] = fields
    async for line in source.stream(kind.path(namespace), query, seconds=_SILENCE_SECONDS):
        event = json.loads(line)
        item = event["object"]
        if event["type"] == "ERROR":
            if item.get("code") == 410:
                raise _Expired
            raise ClusterError(str(item.get("message", item))[:500], status=item.get("code", 0))
        version = item["metadata"]["resourceVersion"]
        if event["type"] == "BOOKMARK":
            yield Change(ChangeType.ALIVE, {}), version
        else:
            yield Change(ChangeType(event["type"]), trimmed(item)), version


class _Identity(NamedTuple):
    """What is kept of each object: a line, since there may be many."""

    namespace: str | None
    name: str


def _identity(item: JsonObject) -> _Identity:
    metadata = item["metadata"]
    return _Identity(metadata.get("namespace"), metadata["name"])


def _last_known(uid: str, identity: _Identity) -> JsonObject:
    metadata = {"name": identity.name, "uid": uid}
    if identity.namespace is not None:
        metadata["namespace"] = identity.namespace
    return {"metadata": metadata}
