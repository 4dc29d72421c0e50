"""A model, opened: what the engine needs to know of one."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from sightline.backends.protocol import Float32Array, Session, UInt8Array
from sightline.bundle.bundle import Bundle
from sightline.errors import SightlineError


@dataclass(frozen=True)
class Model:
    """A bundle and a session that runs it.

    Args:
        bundle: Gives labels, preprocessing and activation.
        session: From ``open_session``; may be shared by many models.
    """

    bundle: Bundle
    session: Session

    @cached_property
    def labels(self) -> pa.StringArray:
        """One label for each class id."""
        return pa.array(self.bundle.labels, pa.string())

    def scores(self, images: UInt8Array) -> Float32Array:
        """Run one batch.

        Args:
            images: (n, height, width, 3) uint8.

        Returns:
            (n, classes) float32.

        Raises:
            SightlineError: MODEL_OUTPUT if the output is not what the manifest says.
        """
        name = self.bundle.manifest.scores.name
        output = self.session.run(images).get(name)
        expected = (len(images), self.bundle.manifest.classes)
        if output is None or output.shape != expected:
            found = "no such output" if output is None else f"shape {output.shape}"
            raise SightlineError(
                "MODEL_OUTPUT",
                f"model {self.bundle.name} should give {name!r} of shape {expected}, but gave "
                f"{found}. Run `sightline models verify {self.bundle.name}`.",
            )
        return output
