"""Put the jar and the model id_fraud into the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

# In the repository: in the wheel. What `make wheel` builds first, and what is committed.
CARRIED = {
    "dist/sightline.jar": "sightline/jars/sightline.jar",
    "models/id_fraud": "sightline/models/id_fraud",
}


class CarryJarAndModel(BuildHookInterface[Any]):
    """An editable install finds both in the repository, so it carries neither."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add what is carried to the files of the wheel.

        Raises:
            FileNotFoundError: If something to carry has not been made yet.
        """
        if version == "editable":
            return
        repository = Path(self.root).parent
        for source, place in CARRIED.items():
            if not (repository / source).exists():
                raise FileNotFoundError(
                    f"{source} is not there, and the wheel carries it. The jar: make setup. "
                    "The model: it is committed."
                )
            build_data["force_include"][str(repository / source)] = place
