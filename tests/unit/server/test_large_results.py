"""Results that are kept beside the journal."""

import json

from weir.server.large_results import split


def test_a_small_result_stands_in_the_journal_as_it_is() -> None:
    text = json.dumps({"state": "done", "value": "x"})
    assert split(text) == (text, None)


def test_a_large_one_is_named_by_its_digest() -> None:
    text = json.dumps({"state": "done", "value": "x" * 20_000})
    kept, value = split(text)
    assert value is not None
    assert json.loads(kept) == {"stored": value.digest}
    assert value.data.decode() == text
