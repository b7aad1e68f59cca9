"""The entry point of the runner image."""

from weir_runner.main import main

main()
