"""Rejects Python code that a bundle names, unless the user allows it."""

from __future__ import annotations

from sightline.errors import WrongUseError

_LIBRARIES = ("timm", "torchvision")
_OWN = "sightline."


def require_consent(model: str, architecture: str, *, allow_code: bool) -> None:
    """Raise an error if the user has not allowed code of another package. Imports nothing.

    Args:
        model: The bundle's name, for the message.
        architecture: Name of the architecture. `timm:NAME`, `torchvision:NAME` and
            `sightline.module:function` need no consent.
        allow_code: Whether the user allows any code to run.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED.
    """
    library = architecture.partition(":")[0]
    if allow_code or library in _LIBRARIES or architecture.startswith(_OWN):
        return
    raise WrongUseError(
        "CODE_NOT_ALLOWED",
        f"model '{model}' loads the Python code '{architecture}'. If you trust it, allow it: "
        "--allow-code (spark.sightline.allowCode=true in SQL).",
    )
