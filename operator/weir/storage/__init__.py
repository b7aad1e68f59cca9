"""What Weir keeps in SQL: journals, logs, large values, the archive. No Kubernetes in here."""
