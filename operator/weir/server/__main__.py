"""`python -m weir.server` is `weir-server`."""

from weir.server.main import main

main()
