"""A loaded model for the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sightline.backends.backend import Array, Session
from sightline.bundle.bundle import Bundle
from sightline.bundle.tensor_spec import TensorSpec
from sightline.errors import SightlineError
from sightline.out_of_memory import raise_if_out_of_memory


@dataclass(frozen=True)
class Model:
    """A bundle and a session that runs it.

    Args:
        bundle: The bundle with the signature and the labels.
        session: From ``open_session``. Several models may share it.
    """

    bundle: Bundle
    session: Session

    def run(self, feeds: Mapping[str, Array], wanted: Sequence[str]) -> list[Array]:
        """Run one batch and check the outputs of the session.

        Args:
            feeds: See `backend.Session.run`.
            wanted: Names of outputs of the signature.

        Returns:
            The wanted outputs in their order, each (n, …) with the signature's dtype and row shape.

        Raises:
            SightlineError: MODEL_FAILED if the backend fails on the batch, OUT_OF_MEMORY if memory
                runs out, MODEL_OUTPUT if an output is missing or its shape or dtype differs from
                the signature.
        """
        rows = len(next(iter(feeds.values())))
        what = "images" if self.bundle.manifest.signature.image else "rows"
        try:
            found = self.session.run(feeds, wanted)
        except SightlineError:
            raise
        except Exception as error:
            raise_if_out_of_memory(error, f"model {self.bundle.name}, on a batch of {rows} {what},")
            raise SightlineError(
                "MODEL_FAILED",
                f"model {self.bundle.name} failed on a batch of {rows} {what}: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]} "
                f"Run `sightline models verify {self.bundle.name}`, or use a smaller --batch-rows.",
            ) from error
        tensors = {one.name: one.tensor for one in self.bundle.manifest.signature.outputs}
        return [self._checked(found.get(name), rows, tensors[name]) for name in wanted]

    def _checked(self, output: Array | None, rows: int, tensor: TensorSpec) -> Array:
        expected = (rows, *tensor.row_shape)
        if output is not None and output.shape == expected and output.dtype == tensor.dtype:
            return output
        found = "no such output" if output is None else f"{output.dtype} of shape {output.shape}"
        raise SightlineError(
            "MODEL_OUTPUT",
            f"model {self.bundle.name} should return '{tensor.name}' as {tensor.dtype} of shape "
            f"{expected}, but returned {found}. Run `sightline models verify {self.bundle.name}`.",
        )
