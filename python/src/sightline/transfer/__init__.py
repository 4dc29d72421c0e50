"""Copies of folders between this machine and an object store."""
