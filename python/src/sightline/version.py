"""The one version number: the Scala build and the wheel read it from here."""

__version__ = "0.1.0"
