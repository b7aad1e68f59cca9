"""Takes the secrets of a connection out of everything that leaves the runner."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

HIDDEN = "***"

# Shorter texts are hidden where they stand alone: everywhere, they would only make holes into
# words.
SHORTEST = 4


class Scrubber:
    """Replaces secrets by `***`, also in the forms that protocols and programs give them.

    Parameters:
        secrets: Values, of which texts, numbers and what is in lists and dicts count.
    """

    def __init__(self, secrets: Iterable[Any]) -> None:
        self._whole: frozenset[str] = frozenset()
        self._forms: list[str] = []
        self.add(*secrets)

    def add(self, *secrets: Any) -> None:
        """Hide these secrets too from now on."""
        whole = {text for secret in secrets for text in _texts(secret) if text}
        forms = {form for text in whole for form in _forms(text)}
        self._whole |= whole
        self._forms = sorted({*self._forms, *forms}, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        if text in self._whole:
            return HIDDEN
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        return text

    def value(self, value: Any) -> Any:
        """Return a JSON value without the secrets, in keys as well."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if _is_number(value) and len(str(value)) >= SHORTEST and str(value) in self._whole:
            return HIDDEN
        return value


def _texts(secret: Any) -> Iterator[str]:
    if isinstance(secret, str):
        yield secret
    elif isinstance(secret, dict):
        for item in secret.values():
            yield from _texts(item)
    elif isinstance(secret, list):
        for item in secret:
            yield from _texts(item)
    elif _is_number(secret):
        yield str(secret)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _forms(secret: str) -> Iterator[str]:
    import json
    from base64 import b64encode
    from urllib.parse import quote, quote_plus

    # The single lines too: of a key with many, a program's complaint may show one.
    for part in (secret, secret.strip(), *(line.strip() for line in secret.splitlines())):
        if len(part) >= SHORTEST:
            yield part
            yield quote(part, safe="")
            yield quote(part)  # as a path, whose slashes stay
            yield quote_plus(part)
            yield json.dumps(part)[1:-1]
            yield json.dumps(part, ensure_ascii=False)[1:-1]
            yield b64encode(part.encode("utf-8", "replace")).decode()
            yield part.encode("unicode_escape").decode()
