"""Measuring what a cheaper precision or decoder changes, and making the int8 graph."""
