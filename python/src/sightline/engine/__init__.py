"""Arrow batches of image bytes in, Arrow batches of predictions out; knows nothing of Spark."""
