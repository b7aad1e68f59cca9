"""Tests of Weir: unit, integration, e2e, and how a cluster for them is had."""
