"""FlowRepositories: what Git hosts say of pushes, and commits of edited scripts."""
