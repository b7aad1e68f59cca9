"""Git repositories: fetched, read, and committed to. The only importer of GitPython here."""
