"""Model bundles: a folder (or zip) that holds one model, and the tools that make and check it."""
