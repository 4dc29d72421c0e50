"""Worker threads that each write a whole batch of inputs and run the model on it."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import numpy as np

from sightline.backends.backend import Array
from sightline.engine.batches import BATCH_BYTES, BatchResult, ModelBatch
from sightline.engine.counters import Counters
from sightline.engine.failed_batch import infer_rows
from sightline.engine.feeds.feed import Feed
from sightline.engine.heads.head import Converter
from sightline.engine.model import Model
from sightline.engine.settings import EngineSettings
from sightline.engine.smaller_batches import SmallerBatches
from sightline.errors import SightlineError
from sightline.out_of_memory import raise_if_out_of_memory
from sightline.row_error import RowError


class BatchWorkers:
    """Runs batches in worker threads and returns the results in input order.

    Each worker thread writes the inputs of a batch, such as decoded images, and then runs the model
    on it with single-threaded operators. The threads do not pass batches to each other and do not
    wait for each other within an operator. So all cores are busy while there are batches. If all
    threads share one device, one thread decodes while another uses the device. With one thread,
    everything runs in the caller's thread.

    Args:
        model: Several threads may call its session.
        feeds: Feeds in the order of the signature's inputs.
        heads: Heads by the name of the output. Only these outputs are computed.
        spec: Batch rows and the number of worker threads.
        counters: Receives the times of every batch.
    """

    def __init__(
        self,
        model: Model,
        feeds: Sequence[Feed],
        heads: Mapping[str, Converter],
        spec: EngineSettings,
        counters: Counters,
    ) -> None:
        self._model = model
        self._feeds = feeds
        self._tensors = [one.tensor for one in model.bundle.manifest.signature.inputs]
        self._heads = heads
        self._spec = spec
        self._counters = counters
        self._smaller = SmallerBatches(self._infer_batch, model.bundle.name)
        self._buffers = threading.local()
        self._pending_bytes = 0
        self._result_bytes = 0
        self._pending: deque[tuple[ModelBatch, Future[BatchResult]]] = deque()
        self._executor = (
            ThreadPoolExecutor(spec.threads, "sightline-batch") if spec.threads > 1 else None
        )

    def __enter__(self) -> BatchWorkers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if self._executor is not None:
            self._executor.shutdown(wait=True, cancel_futures=True)

    @property
    def result_bytes(self) -> int:
        """Bytes of all results without a fixed shape that were stored in outcomes."""
        return self._result_bytes

    def submit_all(self, batches: Iterable[ModelBatch]) -> None:
        """See `submit`."""
        for batch in batches:
            self.submit(batch)

    def submit(self, batch: ModelBatch) -> None:
        """Start a batch. Wait while too many batches or bytes are pending.

        Raises:
            SightlineError: MODEL_FAILED, MODEL_OUTPUT or OUT_OF_MEMORY, caused by this or an
                earlier batch.
        """
        if self._executor is None:
            self._finish(batch, self._run(batch))
            return
        # Two batches per thread, so that no thread is idle while results are emitted. If the
        # values are large, one batch per thread and one more.
        most_bytes = (self._spec.threads + 1) * BATCH_BYTES
        while len(self._pending) >= 2 * self._spec.threads or (
            self._pending and self._pending_bytes + batch.input_bytes > most_bytes
        ):
            self._finish_oldest()
        self._pending_bytes += batch.input_bytes
        self._pending.append((batch, self._executor.submit(self._run, batch)))

    def finish_done(self) -> None:
        """Store the results of finished batches, without waiting."""
        while self._pending and self._pending[0][1].done():
            self._finish_oldest()

    def finish_all(self) -> None:
        """Wait for every batch and store its results."""
        while self._pending:
            self._finish_oldest()

    def _finish_oldest(self) -> None:
        batch, future = self._pending.popleft()
        self._pending_bytes -= batch.input_bytes
        start = time.perf_counter()
        result = future.result()
        self._counters.thread_wait_s += time.perf_counter() - start
        self._finish(batch, result)

    def _finish(self, batch: ModelBatch, result: BatchResult) -> None:
        self._result_bytes += batch.finish(result)
        counters = self._counters
        counters.batches += 1
        counters.decoded += len(batch)
        counters.image_bytes += batch.input_bytes
        counters.decode_cpu_s += result.feed_cpu_s
        counters.infer_cpu_s += result.infer_cpu_s
        counters.infer_wall_s += result.infer_wall_s
        counters.halved_batches = self._smaller.halved

    def _run(self, batch: ModelBatch) -> BatchResult:
        started = time.thread_time()
        try:
            inputs, written, errors = self._write(batch)
        except MemoryError as error:
            is_image = self._model.bundle.manifest.signature.image is not None
            what = "decoding an image" if is_image else "writing the inputs of a batch"
            raise_if_out_of_memory(error, f"{what} ({error})")
            raise
        batch.values.clear()  # frees the encoded bytes
        inferring, inferring_wall = time.thread_time(), time.perf_counter()
        arrays, problems, failed = self._infer(inputs) if written else ([], {}, {})
        return BatchResult(
            arrays,
            problems,
            [i for at, i in enumerate(written) if at not in failed] if failed else written,
            errors | {written[at]: error for at, error in failed.items()},
            feed_cpu_s=inferring - started,
            infer_cpu_s=time.thread_time() - inferring,
            infer_wall_s=time.perf_counter() - inferring_wall,
        )

    def _write(self, batch: ModelBatch) -> tuple[dict[str, Array], list[int], dict[int, RowError]]:
        """Return the input tensors by name, the rows in them, and the errors of the others."""
        buffers = self._buffers_of(batch)
        written: list[int] = []
        errors: dict[int, RowError] = {}
        for i, row in enumerate(batch.values):
            at = len(written)
            error = None
            for feed, value, buffer in zip(self._feeds, row, buffers.values(), strict=True):
                error = feed.write(value, buffer[at, ...])
                if error is not None:
                    errors[i] = error
                    break
            if error is None:
                written.append(i)
        return {name: one[: len(written)] for name, one in buffers.items()}, written, errors

    def _infer(
        self, inputs: Mapping[str, Array]
    ) -> tuple[list[Array], dict[int, str], dict[int, RowError]]:
        """Return the arrays of the heads, their problems by row, and the rows that failed.

        The arrays have no rows for those that failed.
        """
        try:
            arrays, problems = self._smaller.infer(inputs)
        except SightlineError as error:
            # Pixels cannot make a model fail, but other numbers can.
            if error.code != "MODEL_FAILED" or self._model.bundle.manifest.signature.image:
                raise
            return infer_rows(self._model, self._smaller.infer, inputs, error)
        return arrays, problems, {}

    def _infer_batch(self, inputs: Mapping[str, Array]) -> tuple[list[Array], dict[int, str]]:
        arrays: list[Array] = []
        problems: dict[int, str] = {}
        outputs = self._model.run(inputs, list(self._heads))
        for head, output in zip(self._heads.values(), outputs, strict=True):
            converted = head.convert(output)
            # An output may be a view of an input, whose buffer this thread soon overwrites.
            arrays += [
                array.copy() if _shares_memory(array, inputs.values()) else array
                for array in converted.arrays
            ]
            problems |= converted.problems
        return arrays, problems

    def _buffers_of(self, batch: ModelBatch) -> dict[str, Array]:
        """Return the input tensors: this thread's, or new ones for inputs with free axes."""
        buffers = self._thread_buffers()
        if not batch.shapes:
            return buffers
        shapes = iter(batch.shapes)
        return {
            one.name: np.empty((len(batch), *next(shapes)), one.dtype)
            if one.free_axes
            else buffers[one.name]
            for one in self._tensors
        }

    def _thread_buffers(self) -> dict[str, Array]:
        """Return this thread's input tensors, which are allocated once and reused."""
        found: dict[str, Array] | None = getattr(self._buffers, "inputs", None)
        if found is None:
            rows = self._spec.batch_rows
            found = {
                one.name: np.empty((rows, *one.row_shape), one.dtype)
                for one in self._tensors
                if not one.free_axes
            }
            self._buffers.inputs = found
        return found


def _shares_memory(array: Array, inputs: Iterable[Array]) -> bool:
    return any(np.may_share_memory(array, one) for one in inputs)
