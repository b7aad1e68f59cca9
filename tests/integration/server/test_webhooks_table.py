"""The table of attacks in docs/webhooks.md is the one that is tried."""

from pathlib import Path

from tests.integration.server.attacks import table

PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"


def test_the_page_has_each_attack_with_what_it_gets() -> None:
    assert "\n".join(table()) in PAGE.read_text()
