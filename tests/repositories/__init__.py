"""Bad repositories: what becomes of each. `python -m tests.repositories` prints them."""
