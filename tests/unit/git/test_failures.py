from __future__ import annotations

import re

import pytest

from weir.api.reasons import Reason
from weir.git.failures import error_of
from weir_connectors.process import Finished

TOKEN = "t0ken-of-ada"


@pytest.mark.parametrize(
    ("said", "reason", "transient", "message"),
    [
        ("fatal: Authentication failed for 'x'", Reason.AUTHENTICATION_FAILED, False, "refused"),
        ("Permission denied (publickey).", Reason.AUTHENTICATION_FAILED, False, "refused"),
        ("Host key verification failed.", Reason.HOST_KEY_UNKNOWN, False, "known_hosts"),
        ("fatal: couldn't find remote ref x", Reason.REF_NOT_FOUND, False, 'no branch "x"'),
        ("upload-pack: not our ref 1", Reason.REF_NOT_FOUND, False, 'no branch "x"'),
        ("SSL certificate problem: expired", Reason.FETCH_FAILED, False, r"ca\.crt"),
        ("Could not resolve host: x", Reason.FETCH_FAILED, True, "cannot be reached"),
        ("The requested URL returned error: 503", Reason.FETCH_FAILED, True, "503"),
        ("fatal: repository 'x' not found", Reason.FETCH_FAILED, False, "no such repository"),
        ("URL returned error: 302", Reason.INVALID_SPEC, False, r"spec\.url"),
        ("fatal: mismatched algorithms", Reason.INVALID_SPEC, False, "SHA-256"),
        ("fatal: early EOF", Reason.FETCH_FAILED, True, "early EOF"),
        ("", Reason.FETCH_FAILED, True, "exit code 128"),
    ],
)
def test_what_git_says_becomes_a_reason(
    said: str, reason: Reason, transient: bool, message: str
) -> None:
    error = error_of(
        Finished(128, "", said), "https://x/y", ref='branch "x"', has_login=True, secrets=[]
    )
    assert (error.reason, error.transient) == (reason, transient)
    assert error.message.startswith("https://x/y: ")
    assert re.search(message, error.message)


def test_what_git_says_is_scrubbed_and_cut() -> None:
    said = f"fatal: https://ada:{TOKEN}@x/?key={TOKEN} {TOKEN} " + "x" * 5000
    error = error_of(Finished(1, "", said), "https://x/y", ref="", has_login=True, secrets=[TOKEN])
    assert TOKEN not in error.message
    assert len(error.message) <= 900
