"""Python processes that Spark and the driver start: workers, preflight and golden check."""
