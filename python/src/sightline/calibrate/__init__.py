"""Measure how reduced precision and other decoders change predictions; make int8 graphs."""
