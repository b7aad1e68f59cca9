"""One set of scripts with the ends they must have, run without a cluster and on one."""
