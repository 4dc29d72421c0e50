"""Vision models over huge image collections, from Spark."""

from sightline.version import __version__

__all__ = ["__version__"]
