"""Takes secrets out of text that came from outside, before anybody sees it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable
from urllib.parse import quote

HIDDEN = "***"

# A message of a status is read in a terminal's table: a few lines must do.
LONGEST = 600

# Shorter secrets would make holes into ordinary words.
_SHORTEST = 4

_USER_IN_URL = re.compile(r"(?<=://)[^/@\s'\"]+@")
_QUERY = re.compile(r"(?<=\?)[^\s'\"]+")
_UNPRINTABLE = re.compile(r"[^\S\n ]+|[\x00-\x08\x0b-\x1f\x7f]")


def scrub(text: str, secrets: Iterable[str] = (), longest: int = LONGEST) -> str:
    """Return the text without the secrets, without users and queries in URLs, printable, and cut
    to `longest`.

    Secrets are found as they are and in the forms that protocols give them: percent-encoded,
    base64, single lines of a key. Of a text that is too long, the end is kept: programs say last
    why they gave up.
    """
    forms = {form for secret in secrets for form in _forms(secret)}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, HIDDEN)
    text = _QUERY.sub(HIDDEN, _USER_IN_URL.sub(f"{HIDDEN}@", text))
    text = _UNPRINTABLE.sub(" ", text).strip()
    return text if len(text) <= longest else "…" + text[-longest + 1 :]


def _forms(secret: str) -> Iterable[str]:
    for part in (secret, *secret.splitlines()):
        if len(part) >= _SHORTEST:
            yield part
            yield quote(part, safe="")
            yield base64.b64encode(part.encode()).decode()
