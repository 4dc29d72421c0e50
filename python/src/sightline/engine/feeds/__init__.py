"""Feeds: from column values to rows of an input tensor."""
