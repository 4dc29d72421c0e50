"""Heads: from an output tensor to result columns."""
