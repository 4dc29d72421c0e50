"""Feeds, which make rows of an input tensor from column values."""
