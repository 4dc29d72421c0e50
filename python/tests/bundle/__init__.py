"""Tests of the model bundle."""
