"""The `weir` command, also installed as `kubectl-weir`.

`main` is its surface and imports nothing heavy, so that `weir --help` is quick; one module for each
verb does the work.
"""
