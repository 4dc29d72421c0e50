"""Log a finished run to an MLflow tracking server."""
