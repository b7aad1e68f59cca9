"""Finding what a script, a spec or a person calls by a name: object name, then title, then slug.

Scripts say `my_other_flow_name`; Kubernetes cannot, so every kind that scripts name has a title.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Generic, Protocol, TypeVar

from weir.api.names import slug
from weir.api.resource import Metadata

_UNKNOWN_AGE = datetime.max.replace(tzinfo=UTC)


class Titled(Protocol):
    """An object that people call by a title."""

    @property
    def metadata(self) -> Metadata:
        """Its name and age."""
        ...

    @property
    def title(self) -> str:
        """What people call it; its object name where it has no other."""
        ...


Named = TypeVar("Named", bound=Titled)


def age_key(thing: Titled) -> tuple[datetime, str]:
    """Sort the older first; of two made in the same second, the one whose name comes first."""
    return (thing.metadata.creation_timestamp or _UNKNOWN_AGE, thing.metadata.name)


class Catalog(Generic[Named]):
    """All objects of one kind in one namespace, by what they are called."""

    def __init__(self) -> None:
        self._by_name: dict[str, Named] = {}
        self._by_word: dict[str, set[str]] = {}  # titles and slugs -> object names

    def __iter__(self) -> Iterator[Named]:
        return iter(list(self._by_name.values()))

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> Named | None:
        """Return the object of exactly this object name."""
        return self._by_name.get(name)

    def put(self, thing: Named) -> None:
        """Add an object, or replace the one of its name."""
        self.remove(thing.metadata.name)
        self._by_name[thing.metadata.name] = thing
        for word in _words(thing):
            self._by_word.setdefault(word, set()).add(thing.metadata.name)

    def remove(self, name: str) -> None:
        """Take an object out; one that is not there is fine."""
        thing = self._by_name.pop(name, None)
        if thing is None:
            return
        for word in _words(thing):
            called_so = self._by_word.get(word, set())
            called_so.discard(name)
            if not called_so:
                self._by_word.pop(word, None)

    def find(self, word: str) -> Named | None:
        """Return what is called so: by object name or title, else by slug; of several the oldest.

        A title and an object name that are the same are rivals too: the younger object is not Ready
        and is not found by the contested word.
        """
        rivals = self.called(word)
        if not rivals:
            slugs = slug(word)
            rivals = [
                self._by_name[name]
                for name in self._by_word.get(slugs, set()) | ({slugs} & self._by_name.keys())
            ]
        return min(rivals, key=age_key, default=None)

    def called(self, word: str) -> list[Named]:
        """Return all objects whose object name or title is exactly this word."""
        names = {word} | self._by_word.get(word, set())
        found = [self._by_name[name] for name in names if name in self._by_name]
        return [one for one in found if word in (one.metadata.name, one.title)]

    def rivals(self, thing: Named) -> list[Named]:
        """Return the other objects that share the name or title of this one."""
        both = {
            one.metadata.name: one
            for word in (thing.metadata.name, thing.title)
            for one in self.called(word)
        }
        both.pop(thing.metadata.name, None)
        return list(both.values())

    def title_taken_by(self, thing: Named) -> Named | None:
        """Return the older object because of which this one is not Ready, or None."""
        older = [one for one in self.rivals(thing) if age_key(one) < age_key(thing)]
        return min(older, key=age_key, default=None)


def _words(thing: Titled) -> set[str]:
    return {thing.title, slug(thing.title)}
