"""Inference without Spark: one process that reads local files."""
