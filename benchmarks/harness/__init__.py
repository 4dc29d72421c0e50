"""The benchmark of Sightline against raw decoding and inference, and against other tools.

It runs from a checkout, starts every measured program as a process of its own, and imports
nothing of Sightline.
"""
