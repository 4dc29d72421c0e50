"""List and read images without Spark: folders, globs, CSV and Parquet tables."""
