"""The version of the protocol between jar and worker; both sides check it."""

PROTOCOL = 2
