"""A loaded model, as the engine uses it."""

from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa

from sightline.backends.backend import Float32Array, Session, UInt8Array
from sightline.bundle.bundle import Bundle
from sightline.engine.result_type import ResultType, TopK, Vector
from sightline.errors import SightlineError, WrongUseError
from sightline.out_of_memory import raise_if_out_of_memory


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

    def kept(self, result: ResultType) -> int:
        """Return how many numbers are kept per image: top-k classes, or the feature length.

        Raises:
            WrongUseError: NO_FEATURES.
        """
        length = self._output(result)[1]
        return min(result.k, length) if isinstance(result, TopK) else length

    def run(self, images: UInt8Array, result: ResultType) -> Float32Array:
        """Run one batch.

        Args:
            images: (n, height, width, 3) uint8.
            result: Decides which output is returned.

        Returns:
            (n, classes) or (n, feature length), float32.

        Raises:
            WrongUseError: NO_FEATURES.
            SightlineError: MODEL_FAILED if the backend fails on the batch, OUT_OF_MEMORY if memory
                runs out, MODEL_OUTPUT if the output is missing or its shape differs from the
                manifest.
        """
        name, width = self._output(result)
        try:
            output = self.session.run(images).get(name)
        except SightlineError:
            raise
        except Exception as error:
            what = f"model {self.bundle.name}, on a batch of {len(images)} images,"
            raise_if_out_of_memory(error, what)
            raise SightlineError(
                "MODEL_FAILED",
                f"model {self.bundle.name} failed on a batch of {len(images)} images: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]} "
                f"Run `sightline models verify {self.bundle.name}`, or use a smaller --batch-rows.",
            ) from error
        expected = (len(images), width)
        if output is None or output.shape != expected:
            found = "no such output" if output is None else f"shape {output.shape}"
            raise SightlineError(
                "MODEL_OUTPUT",
                f"model {self.bundle.name} should give {name!r} of shape {expected}, but gave "
                f"{found}. Run `sightline models verify {self.bundle.name}`.",
            )
        return output

    def _output(self, result: ResultType) -> tuple[str, int]:
        manifest = self.bundle.manifest
        tensor = manifest.features if isinstance(result, Vector) else manifest.scores
        if tensor is None:
            outputs = ", ".join(output.name for output in manifest.outputs)
            raise WrongUseError(
                "NO_FEATURES",
                f"model {self.bundle.name} has no output of features, only {outputs}. "
                "`sightline models add` finds them where the network ends in a linear layer.",
            )
        return tensor.name, int(tensor.shape[1])
