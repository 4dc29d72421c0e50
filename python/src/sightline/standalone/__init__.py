"""The commands without Spark: one process, local files."""
