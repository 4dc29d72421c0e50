"""Heads, which make result columns of an output tensor."""
