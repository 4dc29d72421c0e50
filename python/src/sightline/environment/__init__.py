"""The archive of a Python environment for Spark's executors, and the lines that use it."""
