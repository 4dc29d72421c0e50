"""Plugins: models of a framework as Spark ML models, column functions and summaries."""
