"""The operator: it watches, looks again at what changed, and does what `core` decides."""
