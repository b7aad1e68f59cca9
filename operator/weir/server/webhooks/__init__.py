"""Webhooks: HTTP requests that start runs, and are answered from their outputs."""
