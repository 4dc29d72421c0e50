"""Where images come from when there is no Spark: folders, globs, CSV and Parquet tables."""
