"""What `make demo` does once cluster and Weir are there: runs the examples, compares their ends."""
