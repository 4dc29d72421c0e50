"""Runtimes behind one small protocol: a bundle in, scores out."""
