"""Checks of a set-up: what a machine lacks for a run, with the fix for each finding."""
