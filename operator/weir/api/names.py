"""The names that Weir gives: constants of the API group, and names derived from what they name.

A derived name is a pure function of the thing it is for. Creating a thing twice is therefore
creating it once.
"""

import hashlib
import re
import unicodedata

GROUP = "weir.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

# Labels. Values are object names, which are at most 63 characters (a rule of the CRDs).
EXECUTION_LABEL = f"{GROUP}/execution"  # on Pods and Messages: name of their Execution
ROOT_LABEL = f"{GROUP}/root"  # on child Executions, Messages: name of the root of their tree
MODE_LABEL = f"{GROUP}/mode"
ARCHIVED_LABEL = f"{GROUP}/archived"  # on ended Executions that lists leave out
FLOW_LABEL = f"{GROUP}/flow"  # on ControllerRevisions
MANAGED_BY_LABEL = "app.kubernetes.io/managed-by"
MANAGED_BY = "weir"

FIELD_MANAGER = "weir"

MAX_NAME = 63
_HASH_LENGTH = 8


def digest(*parts: object) -> str:
    """Return 8 characters that stand for the parts:

    lower-case base 32 without look-alike padding.
    """
    joined = "\x1f".join(str(part) for part in parts).encode()
    number = int.from_bytes(hashlib.sha256(joined).digest()[:8], "big")
    alphabet = "bcdfghjklmnpqrstvwxz2456789"  # no vowels: no words by accident
    letters = ""
    for _ in range(_HASH_LENGTH):
        number, rest = divmod(number, len(alphabet))
        letters += alphabet[rest]
    return letters


def slug(title: str) -> str:
    """Return a title as a DNS label, e.g.

    `my_other_flow_name` as `my-other-flow-name`; "x" when nothing is left.
    """
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:MAX_NAME].strip("-") or "x"


def _with_hash(stem: str, hashed: str) -> str:
    return f"{stem[: MAX_NAME - 1 - len(hashed)].rstrip('-.')}-{hashed}"


def pod_name(execution: str, uid: str, attempt: int) -> str:
    """Name the Pod of one attempt."""
    return _with_hash(execution.replace(".", "-"), digest(uid, attempt))


def child_name(target: str, parent_uid: str, try_number: int, sequence: int) -> str:
    """Name the child that a script's operation number `sequence` creates.

    `target` only makes it readable.
    """
    return _with_hash(slug(target), digest(parent_uid, try_number, sequence))


def message_name(subject: str, uid: str, try_number: int, sequence: int) -> str:
    """Name the Message that a script's operation number `sequence` sends.

    `subject` only makes it readable.
    """
    return _with_hash(slug(subject)[:40], digest("message", uid, try_number, sequence))


def is_object_name(word: str) -> bool:
    """Whether an object may be called exactly so."""
    return len(word) <= MAX_NAME and bool(re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", word))


def is_plain(word: str) -> bool:
    """Whether a word's slug still tells it from other words: nothing but case and marks is lost."""
    return word.isascii() and len(word) <= MAX_NAME and any(one.isalnum() for one in word)


def record_name(word: str) -> str:
    """Name the object that a script creates and calls so: the slug, and where that says too little
    a hash behind it.
    """
    return slug(word) if is_plain(word) else _with_hash(slug(word), digest("record", word))


def revision_name(flow: str, revision: str) -> str:
    """Name the ControllerRevision that keeps a Flow's runnable part; `revision` is its sha256 in
    hex.
    """
    return f"{flow}-{revision[:10]}"
