"""A finished run, logged to an MLflow tracking server."""
