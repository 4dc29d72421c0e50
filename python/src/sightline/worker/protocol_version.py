"""The version of what jar and worker say to each other; both sides check it."""

PROTOCOL = 1
