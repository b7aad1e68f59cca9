"""Weir's Helm chart, and its installation into a development cluster."""
