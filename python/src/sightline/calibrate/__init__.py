"""Measures the effect of reduced precision, and makes int8 graphs."""
