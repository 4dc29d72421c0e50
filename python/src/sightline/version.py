"""The version of the package, and of the protocol between the jar and the worker.

The Scala build and the wheel read `__version__` from this file.
"""

__version__ = "0.1.0"

# The driver sends it and the worker refuses another one; `WorkerSpec.Protocol` is Scala's copy.
PROTOCOL = 4
