"""Converts Arrow batches of image bytes to Arrow batches of predictions, without Spark."""
