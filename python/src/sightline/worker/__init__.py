"""The ways in: Spark workers, the command line, the preflight check."""
