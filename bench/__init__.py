"""Benchmarks: what Weir costs, as ratios to a bare Pod measured in the same minutes."""
