"""Measures the effect of reduced precision and other decoders, and makes int8 graphs."""
