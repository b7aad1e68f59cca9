"""What runs in a runner Pod: it asks the server for work, does it, and reports how it ended."""
