"""`python -m weir.cli` is `weir`."""

from weir.cli.main import main

main()
