"""A bundle may name Python code that makes its network: no code runs because a bundle names it."""

from __future__ import annotations

from sightline.errors import WrongUseError

_LIBRARIES = ("timm", "torchvision")
_OWN = "sightline."


def require_consent(model: str, architecture: str, *, allow_code: bool) -> None:
    """Refuse code from elsewhere that nobody has allowed; imports nothing.

    Args:
        model: The bundle's name, for the message.
        architecture: `timm:NAME` and `torchvision:NAME` are names in a list, and
            `sightline.module:function` is this package: these need no consent.
        allow_code: Whether the person who runs the model said that any code may run.

    Raises:
        WrongUseError: CODE_NOT_ALLOWED.
    """
    room = architecture.partition(":")[0]
    if allow_code or room in _LIBRARIES or architecture.startswith(_OWN):
        return
    raise WrongUseError(
        "CODE_NOT_ALLOWED",
        f"model '{model}' loads the Python code '{architecture}'. If you trust it, allow it: "
        "--allow-code (spark.sightline.allowCode=true in SQL).",
    )
