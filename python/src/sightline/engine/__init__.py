"""Turns Arrow batches of image bytes into Arrow batches of predictions, without Spark."""
