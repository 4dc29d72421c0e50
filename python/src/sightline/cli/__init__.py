"""One file for each command of `sightline`."""
