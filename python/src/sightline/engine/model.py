"""A loaded model for the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from sightline.backends.backend import Array, Session
from sightline.bundle.bundle import Bundle
from sightline.bundle.golden import expected_shape, read_golden
from sightline.bundle.tensor_spec import TensorSpec
from sightline.device_failed import raise_if_device_failed
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
            The wanted outputs in their order, each (n, …) with the signature's dtype and axes.

        Raises:
            SightlineError: MODEL_FAILED if the backend fails on the batch, OUT_OF_MEMORY if memory
                runs out, DEVICE_FAILED if the process can no longer use its GPU, MODEL_OUTPUT if an
                output is missing or its shape or dtype differs from the signature.
        """
        rows = len(next(iter(feeds.values())))
        what = "images" if self.bundle.manifest.signature.image else "rows"
        try:
            found = self.session.run(feeds, wanted)
        except SightlineError:
            raise
        except Exception as error:
            subject = f"model {self.bundle.name}, on a batch of {rows} {what},"
            raise_if_out_of_memory(error, subject)
            raise_if_device_failed(error, subject)
            raise SightlineError(
                "MODEL_FAILED",
                f"model {self.bundle.name} failed on a batch of {rows} {what}: "
                f"{type(error).__name__}: {' '.join(str(error).split())[:300]} "
                f"Run `sightline models verify {self.bundle.name}`, or use a smaller --batch-rows.",
            ) from error
        lengths: dict[str, int] = {}
        if self._free_axes:
            for one in self.bundle.manifest.signature.inputs:
                shape = feeds[one.tensor.name].shape[1:]
                lengths = one.tensor.bind(shape, lengths) or lengths
        return [self._checked(found.get(name), rows, name, lengths) for name in wanted]

    def runs_golden(self) -> bool:
        """Whether the session can run one row of the bundle's golden batch."""
        try:
            inputs, outputs = read_golden(self.bundle)
            row = {name: value[:1] for name, value in inputs.items()}
            self.session.run(row, list(outputs))
        except Exception:  # noqa: BLE001 - runtimes raise classes of their own
            return False
        return True

    @cached_property
    def _tensors(self) -> dict[str, TensorSpec]:
        return {one.name: one.tensor for one in self.bundle.manifest.signature.outputs}

    @cached_property
    def _free_axes(self) -> bool:
        """Whether an output has free axes."""
        return any(one.free_axes for one in self._tensors.values())

    def _checked(
        self, output: Array | None, rows: int, name: str, lengths: dict[str, int]
    ) -> Array:
        """Check an output, and add the lengths of its free axes to `lengths`."""
        tensor = self._tensors[name]
        if output is not None and output.shape[:1] == (rows,) and output.dtype == tensor.dtype:
            bound = tensor.bind(output.shape[1:], lengths)
            if bound is not None:
                lengths |= bound
                return output
        found = "no such output" if output is None else f"{output.dtype} of shape {output.shape}"
        expected = expected_shape(rows, tensor, lengths)
        raise SightlineError(
            "MODEL_OUTPUT",
            f"model {self.bundle.name} should return '{tensor.name}' as {tensor.dtype} of shape "
            f"{expected}, but returned {found}. Run `sightline models verify {self.bundle.name}`.",
        )
